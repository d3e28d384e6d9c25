//! `toji serve` as a process: it answers, and ends quietly when told.

use crate::runner::Bench;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let bench = Bench::with_store();
    let arguments = ["serve", "--address", "127.0.0.1:0", "--json", "--quiet"];
    let mut child = bench.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = told["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let mut socket = TcpStream::connect(&address).unwrap();
    write!(socket, "GET /api/v1/run/list HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"runs\":[]"), "{answer}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn an_address_that_is_none_is_refused() {
    let bench = Bench::with_store();
    let seen = bench.toji(&["serve", "--address", "somewhere"]);
    assert_eq!(seen.code, 1);
    assert!(seen.err.starts_with("error[E-CLI-007]: not an address: somewhere"), "{}", seen.err);
}
