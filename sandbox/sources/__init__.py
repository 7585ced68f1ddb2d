"""What calls the functions by itself: the streams of tables, and schedules."""
