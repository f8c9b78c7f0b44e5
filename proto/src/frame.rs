//! Length-prefixed frames: how messages follow each other on a stream.
//!
//! ```text
//! +-----------------+-------------------+
//! | length, u16 BE  | that many bytes   |   length <= FRAME_LEN_MAX
//! +-----------------+-------------------+
//! ```
//!
//! Pure: bytes are pushed in as they arrive, in pieces of any size, and whole frames come out. How the stream
//! was cut into pieces makes no difference to what comes out.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;

/// Longest frame, in bytes without its prefix.
///
/// The longest message is a Hello of some 800 bytes: two ids and a token. A peer that announces more is not one of ours, and is found
/// out after two bytes, before anything is stored for it.
pub const FRAME_LEN_MAX: usize = 1024;

/// Bytes of the length before each frame.
pub const PREFIX_LEN: usize = 2;

const _: () = assert!(FRAME_LEN_MAX <= u16::MAX as usize, "the prefix must be able to say it");

/// Why a stream cannot be cut into frames. Nothing after it can be trusted: close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The prefix announces more than [`FRAME_LEN_MAX`].
    #[error("a frame of {len} bytes was announced; the most is {FRAME_LEN_MAX}")]
    TooLong {
        /// The announced length.
        len: usize,
    },
    /// The stream ended inside a frame.
    #[error("the stream ended {missing} bytes before the end of a frame")]
    Truncated {
        /// How many bytes the frame, or its prefix, lacks.
        missing: usize,
    },
}

/// Puts `message` into a frame.
///
/// # Errors
/// [`FrameError::TooLong`] when it does not fit.
pub fn encode(message: &impl Message) -> Result<Bytes, FrameError> {
    let len = message.encoded_len();
    let prefix =
        u16::try_from(len).ok().filter(|_| len <= FRAME_LEN_MAX).ok_or(FrameError::TooLong { len })?;
    let mut frame = BytesMut::with_capacity(PREFIX_LEN + len);
    frame.put_u16(prefix);
    message.encode_raw(&mut frame);
    Ok(frame.freeze())
}

/// Finds the frames in a stream of bytes.
///
/// Holds at most one incomplete frame plus what was pushed since the last [`next_frame`](Self::next_frame): ask for
/// frames until there is none after every push.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], again and again: there is no way to find the next frame after a bad prefix.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX_LEN>() else { return Ok(None) };
        let len = usize::from(u16::from_be_bytes(*prefix));
        if len > FRAME_LEN_MAX {
            return Err(FrameError::TooLong { len });
        }
        if self.buffer.len() < PREFIX_LEN + len {
            return Ok(None);
        }
        self.buffer.advance(PREFIX_LEN);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] inside a frame, [`FrameError::TooLong`] after a bad prefix.
    pub fn finish(mut self) -> Result<(), FrameError> {
        while self.next_frame()?.is_some() {}
        match self.buffer.first_chunk::<PREFIX_LEN>() {
            None if self.buffer.is_empty() => Ok(()),
            None => Err(FrameError::Truncated { missing: PREFIX_LEN - self.buffer.len() }),
            Some(prefix) => {
                let whole = PREFIX_LEN + usize::from(u16::from_be_bytes(*prefix));
                Err(FrameError::Truncated { missing: whole - self.buffer.len() })
            }
        }
    }
}
