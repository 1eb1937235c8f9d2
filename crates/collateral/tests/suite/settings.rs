//! Settings: what each of them does, which of them win, and what is said of those that are wrong.

mod azdcap;
mod cache;
mod damage;
mod own;
mod place;
mod precedence;
mod qcnl;
mod this_machine;
mod urls;
mod words;
