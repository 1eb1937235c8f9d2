//! The listening socket as the settings describe it.

use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use anyhow::Context;
use quoting::default_state_dir;
use sockets::{Activation, ListeningSocket, SocketAccess, SocketOptions};
use tracing::warn;

use crate::settings::{Settings, default_socket};

/// Gets the socket: that of the service manager, of a predecessor, or a new one.
pub(super) async fn open(
    settings: &Settings,
    access: SocketAccess,
    activation: Activation,
) -> anyhow::Result<ListeningSocket> {
    if let Some(listener) = activation.listener {
        let socket = ListeningSocket::from_service_manager(listener, activation.http)
            .context("the service manager's socket is unusable")?;
        warn_of_unused(settings, &socket.path);
        return Ok(socket);
    }
    let path = settings.socket.clone().map_or_else(default_socket, Ok)?;
    let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
    let take_over = settings.take_over();
    let options = SocketOptions { path: &path, state_dir: &state_dir, access, take_over };
    let mut socket = ListeningSocket::open(options).await?;
    socket.http.splice(..0, activation.http);
    Ok(socket)
}

/// Warns of settings that have no effect on the service manager's socket at `path`.
fn warn_of_unused(settings: &Settings, path: &Path) {
    let is_other = |socket: &PathBuf| canonicalize(socket).ok() != canonicalize(path).ok();
    let settings = [
        ("socket", settings.socket.as_ref().is_some_and(is_other)),
        ("socket_group", settings.socket_group.is_some()),
        ("take_over", settings.take_over.is_some()),
    ];
    for (setting, _) in settings.into_iter().filter(|(_, is_unused)| *is_unused) {
        warn!(setting, "ignored: the service manager created the socket; configure it there");
    }
}
