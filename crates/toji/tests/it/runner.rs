//! Runs `toji` in an empty folder with an empty environment, so that nothing of this machine leaks in.

use std::path::Path;
use std::process::{Command, Output, Stdio};

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// What one call did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
    /// A folder with a store in it.
    pub(crate) fn with_store() -> Self {
        let bench = Self::empty();
        let made = bench.toji(&["init"]);
        assert_eq!(made.code, 0, "{made:?}");
        bench
    }
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toji"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }
    pub(crate) fn toji(&self, arguments: &[&str]) -> Seen {
        Seen::of(self.command(arguments).output().unwrap())
    }
    pub(crate) fn toji_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Seen {
        Seen::of(self.command(arguments).envs(environment.iter().copied()).output().unwrap())
    }
}

impl Seen {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}
