//! Frames that the gateway itself says. Their shape is the same for visitors and agents.

use std::cell::RefCell;

use bytes::Bytes;
use protocol::command::Ack;
use protocol::news::{GoingAway, Rejected, VisitorNews};
use protocol::rejection::Rejection;
use protocol::text::ClientId;
use serde::Serialize;

use crate::metric::{Metric, Metrics};

/// Bytes of the buffer that frames are written in first: most are shorter.
const SCRATCH_BYTES: usize = 4_096;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(SCRATCH_BYTES));
}

/// A frame as bytes, in one piece of memory of its size: it is written elsewhere before.
pub(crate) fn encoded(frame: &impl Serialize) -> Bytes {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        serde_json::to_writer(&mut *scratch, frame).expect("a frame is always JSON");
        let frame = Bytes::copy_from_slice(scratch);
        scratch.shrink_to(SCRATCH_BYTES);
        frame
    })
}

/// The question whether the client is still there.
pub(crate) fn beat() -> Bytes {
    Bytes::from_static(br#"{"type":"beat"}"#)
}

pub(crate) fn going_away(return_after_ms: u64) -> Bytes {
    encoded(&VisitorNews::GoingAway(GoingAway { return_after_ms }))
}

pub(crate) fn ack(ack: Ack) -> Bytes {
    encoded(&VisitorNews::Ack(ack))
}

/// What the speaker of a command is told, which is counted.
pub(crate) fn outcome(
    metrics: &Metrics,
    client_id: ClientId,
    outcome: Result<Ack, Rejection>,
) -> Bytes {
    match outcome {
        Ok(accepted) => {
            metrics.add(Metric::CommandsAccepted, 1);
            ack(accepted)
        }
        Err(rejection) => {
            metrics.add(Metric::CommandsRejected, 1);
            rejected(client_id, &rejection)
        }
    }
}

pub(crate) fn rejected(client_id: ClientId, rejection: &Rejection) -> Bytes {
    encoded(&VisitorNews::Rejected(Rejected {
        client_id,
        problem: rejection.into(),
    }))
}

pub(crate) fn error(rejection: &Rejection) -> Bytes {
    encoded(&VisitorNews::Error {
        problem: rejection.into(),
    })
}

#[cfg(test)]
mod tests {
    use protocol::news::AgentNews;
    use protocol::rejection::ErrorCode;

    use super::*;

    #[test]
    fn both_sides_read_the_same_words() {
        assert_eq!(beat(), encoded(&VisitorNews::Beat));
        assert_eq!(beat(), encoded(&AgentNews::Beat));
        assert_eq!(
            going_away(7),
            encoded(&AgentNews::GoingAway(GoingAway { return_after_ms: 7 }))
        );
        let rejection = Rejection::of(ErrorCode::TooLong, "body");
        let agents = AgentNews::Error {
            problem: (&rejection).into(),
        };
        assert_eq!(error(&rejection), encoded(&agents));
        let client_id = ClientId::parse("a").unwrap();
        let agents = AgentNews::Rejected(Rejected {
            client_id: client_id.clone(),
            problem: (&rejection).into(),
        });
        assert_eq!(rejected(client_id, &rejection), encoded(&agents));
    }
}
