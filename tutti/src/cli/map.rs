//! `tutti map`: who reacts to what, says what and asks what.

use super::args::MapFormat;
use crate::{failure::Failure, map, screen::Screen};

/// Shows the map in the format asked for.
pub(super) fn run(format: MapFormat, screen: &Screen) -> Result<(), Failure> {
    let services = map::services();
    match format {
        MapFormat::Json => screen.document(&map::document(&services)),
        _ if screen.json => screen.document(&map::document(&services)),
        MapFormat::Table => screen.say(map::table(&services, screen)),
        MapFormat::Mermaid => screen.say(map::mermaid(&services)),
    }
}
