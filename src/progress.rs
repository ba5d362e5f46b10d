//! How far work has come, for whoever watches it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::tell;

/// Bars on a terminal; lines nowhere else, so that logs stay short.
pub(crate) struct Progress {
    bars: indicatif::MultiProgress,
    /// Whose stages they are, where there are several.
    owner: Option<String>,
}

/// One stage's bar.
pub(crate) struct Bar(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        Self { bars: indicatif::MultiProgress::new(), owner: None }
    }

    /// The same bars, for the stages of one of several.
    pub(crate) fn of(&self, owner: String) -> Self {
        Self { bars: self.bars.clone(), owner: Some(owner) }
    }

    /// A bar for a stage of so many steps, of which some may have been done by an earlier process.
    pub(crate) fn stage(&self, name: &str, steps: u64, done: u64) -> Bar {
        let name = self.owner.as_ref().map_or_else(|| name.to_owned(), |owner| format!("{owner}, {name}"));
        let style = ProgressStyle::with_template("{prefix:22} {bar:30} {pos:>5}/{len:5} {elapsed:>4} +{eta:4} {msg}");
        let bar = ProgressBar::new(steps).with_style(style.expect("a template"));
        bar.set_prefix(name.clone());
        let bar = self.bars.add(bar);
        bar.set_position(done);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(500));
        if self.bars.is_hidden() {
            tell(&format!("{name}: {} to do", steps - done.min(steps)));
        }
        Bar(bar)
    }
}

impl Progress {
    /// Says something without disturbing the bars.
    pub(crate) fn warn(&self, message: impl AsRef<str>) {
        self.bars.suspend(|| tell(&format!("warning: {}", message.as_ref())));
    }
}

impl Bar {
    pub(crate) fn advance(&self, by: u64, message: impl Into<String>) {
        self.0.set_message(message.into());
        self.0.inc(by);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
