# Is imported by a run, when the working directory is another one.
greeting = "Hello"
