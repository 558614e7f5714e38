//! The program `nfs-client-sim`: the library's client, as commands.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
