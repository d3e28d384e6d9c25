//! A network that can be cut: a TCP proxy that stops forwarding, without closing, or closes.

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) struct Cut {
    pub(crate) port: u16,
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Packets vanish; nobody is told.
    Silent,
}

impl Cut {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::channel(State::Open).0);
        let sender = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = sender.subscribe();
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await else { return };
                    let (client_read, client_write) = client.into_split();
                    let (server_read, server_write) = server.into_split();
                    tokio::select! {
                        () = pass(client_read, server_write, state.clone()) => {}
                        () = pass(server_read, client_write, state) => {}
                    }
                });
            }
        });
        Self { port: own, state }
    }

    /// Packets vanish from here on; connections stay open and silent.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Silent);
    }

    /// New and old connections pass again; what vanished stays vanished, so old ones are closed.
    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 64 << 10];
    let mut lossy = false;
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => {
                let Ok(n @ 1..) = read else { return };
                if *state.borrow() == State::Silent {
                    lossy = true;
                } else if to.write_all(&buffer[..n]).await.is_err() {
                    return;
                }
            }
            changed = state.changed() => {
                if changed.is_err() || (lossy && *state.borrow() == State::Open) {
                    return;
                }
            }
        }
    }
}
