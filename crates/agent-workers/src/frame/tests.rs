//! Frames in pieces, torn, and invented.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

use super::*;

fn decode(bytes: &[u8], step: usize) -> Result<Vec<Frame>, FrameError> {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(step) {
        decoder.buffer.extend_from_slice(piece);
        while let Some(frame) = decoder.next()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

#[test]
fn frames__in_any_pieces__round_trip() {
    let frames = [
        Frame { kind: Kind::Text, part: 7, run: 1, payload: Bytes::from_static("a ü".as_bytes()) },
        Frame { kind: Kind::Done, part: 0, run: u32::MAX, payload: Bytes::new() },
        Frame { kind: Kind::Run, part: 0, run: 2, payload: vec![b'x'; MAX_PAYLOAD + 5].into() },
    ];
    let bytes: Vec<u8> = frames
        .iter()
        .flat_map(|frame| encode(frame.kind, frame.part, frame.run, &frame.payload))
        .flatten()
        .collect();
    for step in [1, 13, 4096, bytes.len()] {
        assert_eq!(decode(&bytes, step).expect("valid"), frames, "{step}");
    }
    let torn = &bytes[..bytes.len() - 1];
    assert_eq!(decode(torn, 4096).expect("valid"), frames[..2]);
}

#[test]
fn pieces__of_two_runs__may_alternate() {
    let of_run = |run: u32| encode(Kind::Call, 0, run, &vec![run as u8; MAX_PAYLOAD + 1]);
    let (first, second) = (of_run(1), of_run(2));
    let bytes = [&first[0][..], &second[0], &second[1], &first[1]].concat();
    let frames = decode(&bytes, 65_536).expect("valid");
    assert_eq!(
        frames.iter().map(|frame| (frame.run, frame.payload.len())).collect::<Vec<_>>(),
        [(2, MAX_PAYLOAD + 1), (1, MAX_PAYLOAD + 1)]
    );
}

#[test]
fn bytes__that_are_no_frames__are_refused() {
    assert_eq!(decode(&[0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0], 12), Err(FrameError::UnknownKind(200)));
    assert_eq!(
        decode(&[0, 0, 0, 1, 68, 0, 0, 0, 0, 0, 0, 0], 12),
        Err(FrameError::TooLong(16 * MAX_PAYLOAD))
    );
}

/// The number of cases for each property: `AGENT_TEST_ROUNDS`, else few.
fn rounds() -> Config {
    #[expect(clippy::disallowed_methods, reason = "a test's effort is set from outside")]
    let rounds = std::env::var("AGENT_TEST_ROUNDS");
    let cases = rounds.map_or(64, |text| text.parse().expect("AGENT_TEST_ROUNDS is a number"));
    Config { failure_persistence: None, ..Config::with_cases(cases) }
}

/// One piece of a frame, whose key often is that of another one.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let kinds = select(vec![Kind::Text, Kind::Call, Kind::Event, Kind::Log]);
    (kinds, any::<bool>(), 0_u16..2, 0_u32..3, vec(any::<u8>(), 0..40)).prop_map(
        |(kind, is_more, part, run, payload)| {
            let mut frame = encode(kind, part, run, &payload).concat();
            frame[5] = if is_more { MORE } else { 0 };
            frame
        },
    )
}

/// What a decoder finds in bytes that arrive in these pieces, up to the first error.
fn found(bytes: &[u8], cuts: &[Index]) -> (Vec<Frame>, Option<FrameError>) {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for place in places.windows(2) {
        decoder.buffer.extend_from_slice(&bytes[place[0]..place[1]]);
        loop {
            match decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

proptest! {
    #![proptest_config(rounds())]

    #[test]
    fn frames__cut_anywhere_and_torn__are_the_same(
        pieces in vec(piece(), 0..30),
        cuts in vec(any::<Index>(), 0..30),
        end in any::<Index>(),
    ) {
        let bytes = pieces.concat();
        let whole = found(&bytes, &[]);
        prop_assert_eq!(&whole.1, &None);
        let sent: usize = pieces.iter().map(|piece| piece.len() - HEAD_BYTES).sum();
        prop_assert!(whole.0.iter().map(|frame| frame.payload.len()).sum::<usize>() <= sent);
        prop_assert_eq!(found(&bytes, &cuts), whole.clone());
        // What was torn off takes nothing else with it.
        let torn = found(&bytes[..end.index(bytes.len() + 1)], &cuts);
        prop_assert_eq!(&torn.0[..], &whole.0[..torn.0.len()]);
        prop_assert_eq!(torn.1, None);
    }

    #[test]
    fn garbage__between_frames__is_never_a_panic_and_always_the_same(
        parts in vec(prop_oneof![piece(), vec(any::<u8>(), 0..30)], 0..10),
        cuts in vec(any::<Index>(), 0..30),
    ) {
        let bytes = parts.concat();
        prop_assert_eq!(found(&bytes, &cuts), found(&bytes, &[]));
    }
}
