//! The server as a process: the socket, jobs taken up again, and a quiet end.

use crate::entry::router_of;
use crate::face::{Front, Limits};
use crate::guard::Hosts;
use crate::provider::{Provider, ProviderSettings};
use crate::who::guarded;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use toji_core::{Error, Result};
use toji_ops::{Party, Session};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen. Anything but loopback needs a store with users.
    pub address: SocketAddr,
    /// A proxy on this machine speaks TLS for it. It needs a store with users, too.
    pub behind_tls: bool,
    /// Whoever has no second factor can set one up and nothing else.
    pub second_factor: bool,
    /// Open a store without users to other machines all the same.
    pub without_login: bool,
    /// The origin that browsers know it by, for passkeys. A server that this machine alone reaches has one by itself.
    pub origin: Option<Party>,
    /// A provider where people may log in instead.
    pub provider: Option<ProviderSettings>,
    /// Limits.
    pub limits: Limits,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8080).into(),
            behind_tls: false,
            second_factor: false,
            without_login: false,
            origin: None,
            provider: None,
            limits: Limits::default(),
        }
    }
}

/// A bound server that does not answer yet.
pub struct Server {
    session: Arc<Session>,
    listener: TcpListener,
    address: SocketAddr,
    behind_tls: bool,
    second_factor: bool,
    origin: Option<Party>,
    provider: Option<Arc<Provider>>,
    limits: Limits,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// `E-SERVE-001` the address cannot be bound; `E-SERVE-003` a store without users would be opened to others.
    pub async fn bind(session: Arc<Session>, options: ServeOptions) -> Result<Self> {
        let outside = !options.address.ip().is_loopback() || options.behind_tls;
        guarded(session.has_users().await?, outside, options.without_login)?;
        let provider = options.provider.map(Provider::new).transpose()?.map(Arc::new);
        let fault = |e: std::io::Error| {
            let at = options.address;
            Error::storage("E-SERVE-001", format!("{at} で待ち受けられません: {e}"), format!("cannot listen on {at}: {e}")).hint(
                "すでに動いている toji がないか確かめるか、--address で別の番号を指定してください",
                "see whether another toji is running, or give another port with --address",
            )
        };
        let listener = TcpListener::bind(options.address).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self {
            session,
            listener,
            address,
            behind_tls: options.behind_tls,
            second_factor: options.second_factor,
            origin: options.origin,
            provider,
            limits: options.limits,
        })
    }

    /// Where it listens; tells the port when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end` resolves, then lets open requests end for a while.
    ///
    /// # Errors
    /// The jobs of the store cannot be read, or the socket fails.
    pub async fn run_until(self, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let outside = !self.address.ip().is_loopback() || self.behind_tls;
        if outside && !self.session.has_users().await? {
            tracing::warn!(address = %self.address, "no login: everybody who reaches this address can read and write the store");
        } else if outside && !self.behind_tls {
            tracing::warn!(address = %self.address, "no TLS: passwords can be read on the way; put a proxy before it and give --behind-tls");
        }
        self.session.resume_jobs().await?;
        let (stopping, stop) = watch::channel(false);
        // A proxy passes on the name that the browser knows.
        let hosts = if self.behind_tls { Hosts::Any } else { Hosts::of(self.address) };
        // From what a request says of itself nothing is derived: whoever relays one could say anything.
        let here = (!outside).then(|| Party::on_this_machine(self.address.port()));
        let party = self.origin.or(here);
        let front =
            Front { hosts, behind_tls: self.behind_tls, second_factor: self.second_factor, party, provider: self.provider };
        let session = Arc::clone(&self.session);
        let router = router_of(self.session, toji_ops::operations(), self.limits, front, stop.clone());
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let mut begun = stop;
        let farewell = self.limits.farewell;
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(async move {
            end.await;
            tracing::info!("stopping");
            let _ = stopping.send(true);
        });
        let overdue = async move {
            let _ = begun.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(farewell).await;
        };
        let ended = tokio::select! {
            ended = async { serving.await } => ended.map_err(|e| {
                Error::storage("E-SERVE-002", format!("サーバーが止まりました: {e}"), format!("the server stopped: {e}"))
            }),
            () = overdue => {
                tracing::warn!("some requests did not end in time and were cut off");
                Ok(())
            }
        };
        if let Err(error) = session.end_live().await {
            tracing::warn!(code = error.code(), "live data stay in the journal: {}", error.fault().message.en);
        }
        if let Err(error) = session.close().await {
            tracing::warn!(code = error.code(), "the counts of reads could not be written");
        }
        ended
    }
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// See [`Server::bind`] and [`Server::run_until`].
pub async fn serve(session: Arc<Session>, options: ServeOptions) -> Result<()> {
    Server::bind(session, options).await?.run_until(stop_signal()).await
}

/// Resolves at Ctrl-C, and at SIGTERM where there is one.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
