"""Why doesn't it work: what is looked at, a module a subject, and what each found. Everything here only reads."""
