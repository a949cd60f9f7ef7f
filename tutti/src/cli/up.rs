//! `tutti up`: opens the shop and keeps it open until Ctrl-C, SIGTERM, or the end of stdin.

use super::args::UpArgs;
use crate::{failure::Failure, screen::Screen};

pub(super) async fn run(_args: UpArgs, _screen: &Screen) -> Result<(), Failure> {
    Err(Failure::Unusable("the shop is not wired in yet".into()))
}
