"""The workshop: exercises, programs of students, and a sheet for each mechanism."""
