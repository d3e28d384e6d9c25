//! Progress on standard error: a bar on a terminal, plain lines elsewhere, nothing when quiet.

use crate::command::Settings;
use crate::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use toji_core::Lang;
use toji_ops::Step;

/// Plain lines come no faster than this, unless the message changes.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows the steps of one operation.
pub(crate) struct Meter {
    look: Arc<Look>,
}

enum Look {
    Silent,
    Bar(ProgressBar, Lang),
    Lines(Settings, Mutex<Option<(String, Instant)>>),
}

impl Meter {
    pub(crate) fn new(settings: &Settings) -> Self {
        let look = if settings.quiet {
            Look::Silent
        } else if std::io::stderr().is_terminal() {
            Look::Bar(bar(), settings.lang)
        } else {
            Look::Lines(settings.clone(), Mutex::default())
        };
        Self { look: Arc::new(look) }
    }

    /// Where the operation reports to.
    pub(crate) fn sink(&self) -> impl Fn(&Step) + Send + Sync + 'static {
        let look = Arc::clone(&self.look);
        move |step| look.show(step)
    }

    /// Clears the bar, so that what is printed next stands alone.
    pub(crate) fn finish(&self) {
        if let Look::Bar(bar, _) = self.look.as_ref() {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

impl Look {
    fn show(&self, step: &Step) {
        match self {
            Self::Silent => {}
            Self::Bar(bar, lang) => {
                if let Some(total) = step.total {
                    bar.set_length(total);
                }
                bar.set_position(step.done);
                bar.set_message(step.message.get(*lang).to_owned());
            }
            Self::Lines(settings, last) => {
                let message = step.message.get(settings.lang);
                let Ok(mut last) = last.lock() else { return };
                let due = last.as_ref().is_none_or(|(shown, at)| shown != message || at.elapsed() >= LINE_EVERY);
                if due {
                    let count = step.total.map_or_else(|| format!("[{}]", step.done), |total| format!("[{}/{total}]", step.done));
                    output::note(&format!("{count} {message}"));
                    *last = Some((message.to_owned(), Instant::now()));
                }
            }
        }
    }
}
