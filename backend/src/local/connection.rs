//! A connection that counts for as long as anything holds it, and that must not be silent at first.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};

/// Bytes that tell HTTP/2 from HTTP/1 (RFC 9113, 3.4). Until they have come, hyper waits without end; after that it has timers.
const PREFACE: usize = 24;

/// A TCP connection and its place among those that may be open. WebSockets take both along when they leave HTTP behind.
pub(super) struct Connection {
    stream: TcpStream,
    beginning: Option<Beginning>,
    _permit: OwnedSemaphorePermit,
}

/// Of a connection that has not said what it speaks.
struct Beginning {
    read: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    /// Reading fails unless it has begun to speak within `wait`.
    pub(super) fn new(stream: TcpStream, permit: OwnedSemaphorePermit, wait: Duration) -> Self {
        let beginning = Some(Beginning { read: 0, deadline: Box::pin(sleep(wait)) });
        Self { stream, beginning, _permit: permit }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(beginning) = &mut this.beginning else {
            return read;
        };
        beginning.read += buffer.filled().len() - before;
        if beginning.read >= PREFACE {
            this.beginning = None;
        } else if read.is_pending() && beginning.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
