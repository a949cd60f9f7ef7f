//! What the audience sees while the demo plays: moving lines on a terminal, plain ones in a pipe, nothing for machines.

use crate::{failure::Failure, screen::Screen};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// The place where everything is shown.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) screen: Screen,
    bars: MultiProgress,
}

impl Stage {
    pub(super) fn new(screen: Screen) -> Stage {
        let target = if screen.terminal { ProgressDrawTarget::stdout() } else { ProgressDrawTarget::hidden() };
        Stage { screen, bars: MultiProgress::with_draw_target(target) }
    }

    /// Shows text that stays, above whatever moves.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        match (self.screen.json, self.screen.terminal) {
            (true, _) => Ok(()),
            (_, true) => self.bars.println(text).map_err(|_| Failure::Unread),
            (_, false) => self.screen.say(text),
        }
    }

    /// A line that moves as long as something goes on.
    pub(super) fn spinner(&self, name: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix:26} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        if self.screen.terminal {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }

    /// A bar that fills.
    pub(super) fn bar(&self, name: &str, length: u64) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(length));
        if let Ok(style) = ProgressStyle::with_template("  {prefix:10} {bar:40} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        bar
    }

    /// Takes whatever moves off the screen.
    pub(super) fn clear(&self) {
        // A terminal that is gone needs no clearing.
        _ = self.bars.clear();
    }
}
