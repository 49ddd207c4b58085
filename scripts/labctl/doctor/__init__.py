"""`./lab doctor`: what is wrong with this machine, the engine and the running lab."""
