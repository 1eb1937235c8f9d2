//! `quote-helper`: SGX quotes from one service per machine.

mod canary;
mod cli;
mod cluster;
mod commands;
mod evidence;
mod failure;
mod files;
mod listen;
mod memory_limit;
mod objects;
mod output;
mod runtime;
mod server_process;
mod settings;
mod stop;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
