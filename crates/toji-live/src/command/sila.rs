//! Commands over SiLA 2: unobservable commands of features, with the errors the standard defines.

use super::refused;
use crate::config::Sila;
use crate::fault;
use crate::sila::wire::{Nothing, Parameter, Real, sila_error};
use prost::Message;
use std::time::Duration;
use toji_core::{Place, Result};
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

/// A channel of its own beside the one that collects.
pub(super) struct Wire {
    channel: Channel,
    name: String,
}

impl Wire {
    pub(super) async fn connect(source: &Sila, patience: Duration) -> Result<Self> {
        let name = format!("{}:{}", source.host, source.port);
        let endpoint = crate::sila::endpoint(source)?.connect_timeout(patience);
        let channel = endpoint.connect().await.map_err(|e| fault::away(&name, e))?;
        Ok(Self { channel, name })
    }

    pub(super) async fn set(&self, command: &str, value: f64) -> Result<()> {
        self.call(command, Parameter { value: Some(Real { value }.encode_to_vec()) }).await
    }

    pub(super) async fn act(&self, command: &str) -> Result<()> {
        self.call(command, Nothing {}).await
    }

    async fn call<P: Message + 'static>(&self, command: &str, parameters: P) -> Result<()> {
        let mut grpc = crate::sila::ready(&self.channel, &self.name).await?;
        let codec = ProstCodec::<P, Nothing>::default();
        match grpc.unary(tonic::Request::new(parameters), crate::sila::path(&path_of(command)?)?, codec).await {
            Ok(_) => Ok(()),
            Err(status) => match sila_error(&status) {
                Some(why) => Err(refused(command, why)),
                None if status.code() == tonic::Code::Unimplemented => Err(refused(command, "the server has no such command")),
                None => Err(fault::away(&self.name, status)),
            },
        }
    }
}

/// Path of the call from a fully qualified command identifier, `org.example/bioreactor/Fermenter/v1/Command/Stop`.
fn path_of(command: &str) -> Result<String> {
    let parts: Vec<&str> = command.split('/').collect();
    match parts.as_slice() {
        [originator, category, feature, version, "Command", name] if !name.is_empty() => {
            let package = format!("sila2.{originator}.{category}.{}.{version}", feature.to_lowercase());
            Ok(format!("/{package}.{feature}/{name}"))
        }
        _ => Err(fault::config(
            Place::field(command),
            "コマンドの完全修飾識別子ではありません",
            "not a fully qualified command identifier",
        )
        .hint(
            "例: org.example/bioreactor/Fermenter/v1/Command/Stop",
            "for example org.example/bioreactor/Fermenter/v1/Command/Stop",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_the_paths_of_the_mapping() {
        let path = path_of("org.example/bioreactor/Fermenter/v1/Command/Stop").unwrap();
        assert_eq!(path, "/sila2.org.example.bioreactor.fermenter.v1.Fermenter/Stop");
        for bad in ["Stop", "a/b/c/v1/Property/Stop", "a/b/c/v1/Command/"] {
            assert_eq!(path_of(bad).unwrap_err().code(), "E-LINK-003");
        }
    }
}
