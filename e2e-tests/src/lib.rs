//! Tests of the whole system from outside: the real program as a child process, real HTTP, a real disk, real signals.
//! Everything is in `tests/`; there is nothing here to use.
