//! Servers of others as child processes, killed and started again by the tests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A free port on 127.0.0.1.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The project's `target` folder.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// A process that is killed when dropped.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let server = Self { child };
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "nobody listens on port {port}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A private mosquitto that keeps sessions and messages on disk.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    config: PathBuf,
    server: Option<Server>,
    _folder: tempfile::TempDir,
}

impl Mosquitto {
    /// `None`, with the reason, when mosquitto is not installed.
    pub(crate) fn start() -> Option<Self> {
        let found =
            ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"].iter().any(|p| Path::new(p).exists());
        if !found {
            println!("skipped: mosquitto is not installed (scripts/setup.sh test installs it)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = folder.path().join("mosquitto.conf");
        let mut file = std::fs::File::create(&config).unwrap();
        let place = folder.path().display();
        write!(
            file,
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {place}/\n\
             autosave_on_changes true\nautosave_interval 100\nmax_queued_messages 0\nmax_inflight_messages 200\nlog_dest none\n"
        )
        .unwrap();
        if std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0) {
            writeln!(file, "user root").unwrap();
        }
        let mut broker = Self { port, config, server: None, _folder: folder };
        broker.restart();
        Some(broker)
    }

    pub(crate) fn kill(&mut self) {
        self.server = None;
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        let path = "/usr/sbin:/usr/bin:/usr/local/sbin";
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&self.config).env("PATH", path).stderr(Stdio::null());
        self.server = Some(Server::start(&mut command, self.port));
    }
}

/// A server written in Python (see `tests/servers`), with the packages of `target/live-venv`.
pub(crate) struct Python {
    pub(crate) port: u16,
    script: &'static str,
    server: Option<Server>,
}

impl Python {
    /// `None`, with the reason, when the packages are not installed.
    pub(crate) fn start(script: &'static str, package: &str) -> Option<Self> {
        let python = target().join("live-venv/bin/python");
        let check = Command::new(&python).args(["-c", &format!("import {package}")]).stderr(Stdio::null()).status();
        if !check.is_ok_and(|status| status.success()) {
            println!("skipped: the Python package {package} is not installed (scripts/setup.sh test installs it)");
            return None;
        }
        let mut python = Self { port: free_port(), script, server: None };
        python.restart();
        Some(python)
    }

    pub(crate) fn kill(&mut self) {
        self.server = None;
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers");
        let mut command = Command::new(target().join("live-venv/bin/python"));
        command.arg(folder.join(self.script)).arg(self.port.to_string()).stderr(Stdio::null());
        self.server = Some(Server::start(&mut command, self.port));
    }
}
