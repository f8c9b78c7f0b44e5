//! Framing: what goes in comes out, however the network cuts it, and no bytes can make it panic.
#![cfg(test)]

use bytes::Bytes;
use game_proto::frame::{Decoder, FRAME_LEN_MAX, FrameError, encode};
use game_proto::{Hello, Message};
use proptest::prelude::*;

fn hello(player_session_id: &str) -> Hello {
    Hello { protocol_version: 1, player_session_id: player_session_id.to_owned(), ..Hello::default() }
}

/// Everything that comes out of `stream` when it arrives in pieces that end at `cuts`.
fn decode(stream: &[u8], cuts: &[usize]) -> (Vec<Bytes>, Result<(), FrameError>) {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(stream.len());

    let (mut decoder, mut frames, mut start) = (Decoder::new(), Vec::new(), 0);
    for end in ends {
        decoder.push(&stream[start..end]);
        start = end;
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    (frames, decoder.finish())
}

#[test]
fn longest_hello_fits_a_frame() {
    let longest = hello(&"p".repeat(256));
    assert!(encode(&longest).is_ok());
}

#[test]
fn message_longer_than_a_frame_is_refused_by_the_sender() {
    let huge = hello(&"p".repeat(FRAME_LEN_MAX));
    assert_eq!(encode(&huge), Err(FrameError::TooLong { len: huge.encoded_len() }));
}

#[test]
fn announced_length_above_the_cap_is_found_before_its_bytes_arrive() {
    let mut decoder = Decoder::new();
    decoder.push(&[0x04, 0x01]);
    assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { len: 1025 }));
    assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { len: 1025 }), "the error stays");
}

#[test]
fn frame_of_exactly_the_cap_passes() {
    let mut stream = vec![0x04, 0x00];
    stream.resize(2 + FRAME_LEN_MAX, 7);
    assert_eq!(decode(&stream, &[]).0[0].len(), FRAME_LEN_MAX);
}

#[test]
fn end_of_stream_inside_a_frame_says_how_much_is_missing() {
    assert_eq!(decode(&[0], &[]).1, Err(FrameError::Truncated { missing: 1 }));
    assert_eq!(decode(&[0, 3, 1], &[]).1, Err(FrameError::Truncated { missing: 2 }));
}

proptest! {
    #[test]
    fn messages_survive_any_split(ids in prop::collection::vec("[A-Za-z0-9.-]{1,256}", 0..6), cuts: Vec<usize>) {
        let hellos: Vec<Hello> = ids.iter().map(|id| hello(id)).collect();
        let stream: Vec<u8> = hellos.iter().flat_map(|hello| encode(hello).unwrap()).collect();
        let (frames, end) = decode(&stream, &cuts);
        let decoded: Vec<Hello> = frames.into_iter().map(|frame| Hello::decode(frame).unwrap()).collect();
        prop_assert_eq!(decoded, hellos);
        prop_assert_eq!(end, Ok(()));
    }

    #[test]
    fn any_bytes_decode_the_same_however_they_are_split(stream: Vec<u8>, cuts: Vec<usize>) {
        prop_assert_eq!(decode(&stream, &cuts), decode(&stream, &[]));
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error_but_never_a_panic(bytes: Vec<u8>) {
        let _ = Hello::decode(&*bytes);
        let _ = game_proto::ServerMessage::decode(&*bytes);
        let _ = game_proto::Input::decode(&*bytes);
        let _ = game_proto::Snapshot::decode(&*bytes);
    }
}
