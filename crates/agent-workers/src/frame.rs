//! The frames of the worker protocol.

use std::collections::HashMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The size of a frame's head.
pub(crate) const HEAD_BYTES: usize = 12;

/// The maximum payload of one frame.
pub(crate) const MAX_PAYLOAD: usize = 1024 * 1024;

/// The maximum payload of a frame whose payload comes in pieces.
const MAX_JOINED: usize = 64 * 1024 * 1024;

/// Marks a frame whose payload continues in another one.
const MORE: u8 = 1;

/// The part of the last piece of a response's body.
const LAST: u16 = 1;

/// A frame whose payload is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) part: u16,
    pub(crate) run: u32,
    pub(crate) payload: Bytes,
}

impl Frame {
    /// Whether nothing follows it that its receiver needs.
    pub(crate) fn ends(&self) -> bool {
        self.kind == Kind::Done || self.is_last_piece()
    }

    /// Whether it is the last piece of a response's body.
    pub(crate) fn is_last_piece(&self) -> bool {
        self.kind == Kind::ResponseBody && self.part == LAST
    }
}

macro_rules! kinds {
    ($($kind:ident = $number:literal),* $(,)?) => {
        /// What a frame is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(crate) enum Kind {
            $($kind = $number),*
        }

        impl Kind {
            fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Kind::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    Hello = 1, Run = 2, Cancel = 3, Credit = 5, Reply = 7, Drain = 8, Ping = 9, Request = 10, Body = 11,
    Ready = 65, Failed = 66, Open = 67, Text = 68, Data = 69, Put = 70, Close = 71, Event = 73, StopSession = 74, Call = 75, Done = 76,
    Log = 77, Pong = 78, Response = 79, ResponseBody = 80,
}

/// Why bytes are not frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("there is no frame of the kind {0}")]
    UnknownKind(u8),
    #[error("a frame of {0} bytes is larger than {MAX_PAYLOAD} bytes")]
    TooLong(usize),
    #[error("the pieces of a frame are larger than {MAX_JOINED} bytes")]
    TooManyPieces,
}

/// Writes a frame, in pieces if it is long.
pub(crate) fn encode(kind: Kind, part: u16, run: u32, payload: &[u8]) -> Vec<Bytes> {
    let mut pieces = payload.chunks(MAX_PAYLOAD).peekable();
    let mut frames = Vec::with_capacity(1);
    loop {
        let piece = pieces.next().unwrap_or_default();
        let is_last = pieces.peek().is_none();
        let mut frame = BytesMut::with_capacity(HEAD_BYTES + piece.len());
        // A piece is at most 1 MiB long.
        frame.put_u32_le(piece.len() as u32);
        frame.put_u8(kind as u8);
        frame.put_u8(if is_last { 0 } else { MORE });
        frame.put_u16_le(part);
        frame.put_u32_le(run);
        frame.put_slice(piece);
        frames.push(frame.freeze());
        if is_last {
            return frames;
        }
    }
}

/// Reads frames, whatever pieces their bytes arrive in.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The bytes that have arrived and are not decoded.
    pub(crate) buffer: BytesMut,
    unfinished: HashMap<(Kind, u16, u32), BytesMut>,
}

impl Decoder {
    /// The next frame, if all of it has arrived.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        while let Some((head, payload)) = self.next_piece()? {
            let Head { kind, flags, part, run } = head;
            let key = (kind, part, run);
            let is_whole = flags & MORE == 0;
            // Each piece of a text is a text.
            if is_whole && !self.unfinished.contains_key(&key) || kind == Kind::Text {
                return Ok(Some(Frame { kind, part, run, payload }));
            }
            let mut joined = self.unfinished.remove(&key).unwrap_or_default();
            if joined.len() + payload.len() > MAX_JOINED {
                return Err(FrameError::TooManyPieces);
            }
            joined.extend_from_slice(&payload);
            if is_whole {
                return Ok(Some(Frame { kind, part, run, payload: joined.freeze() }));
            }
            self.unfinished.insert(key, joined);
        }
        Ok(None)
    }

    fn next_piece(&mut self) -> Result<Option<(Head, Bytes)>, FrameError> {
        let Some(mut head) = self.buffer.get(..HEAD_BYTES) else { return Ok(None) };
        let length = head.get_u32_le() as usize;
        if length > MAX_PAYLOAD {
            return Err(FrameError::TooLong(length));
        }
        let number = head.get_u8();
        let kind = Kind::from_number(number).ok_or(FrameError::UnknownKind(number))?;
        let head = Head { kind, flags: head.get_u8(), part: head.get_u16_le(), run: head.get_u32_le() };
        if self.buffer.len() < HEAD_BYTES + length {
            self.buffer.reserve(HEAD_BYTES + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(HEAD_BYTES);
        Ok(Some((head, self.buffer.split_to(length).freeze())))
    }
}

struct Head {
    kind: Kind,
    flags: u8,
    part: u16,
    run: u32,
}

#[cfg(test)]
mod tests;
