//! Files in a bucket, at an S3 server that others wrote: kept by workspace and hash, refused for now while it
//! is away, and removed with whom they belonged to.

use std::collections::BTreeSet;

use bytes::Bytes;
use loadtest::Error;
use loadtest::client::http::{Answer, Call};
use protocol::attachment::Attachment;
use protocol::command::Command;
use protocol::id::WorkspaceId;
use protocol::rejection::{ErrorCode, Retry};
use server::Config;
use tests::bucket::Bucket;
use tests::person::draft;
use tests::{Stack, Visitor};
use world::World;

use crate::housekeeping::erase;

tests::stories! {
    files_live_in_a_bucket_and_go_with_whom_they_belonged_to
    a_bucket_that_is_away_refuses_files_for_now_and_nothing_else
    a_bucket_that_refuses_us_is_an_error_at_the_start
}

/// Stored at once, and in two parts.
const SMALL: usize = 1_000;
const LARGE: usize = 7_000_000;

fn lines(length: usize) -> Bytes {
    let text = b"a line of text that is long enough.\n";
    let body: Vec<u8> = text.iter().copied().cycle().take(length).collect();
    body.into()
}

async fn uploads(stack: &Stack, visitor: &Visitor, body: &Bytes) -> Result<Attachment, Error> {
    let upload = Call::new(http::Method::POST, "/api/v1/attachments")
        .bytes("text/plain", body.clone())
        .header("switchboard-file-name", "lines.txt");
    let answer = stack.asks(&visitor.client.access().call(upload)).await;
    answer.into_value()
}

/// Uploads as often as it is told to try again.
async fn uploads_in_the_end(stack: &Stack, visitor: &Visitor, body: &Bytes) -> Attachment {
    loop {
        match uploads(stack, visitor, body).await {
            Ok(kept) => return kept,
            Err(Error::Refused(problem)) if problem.retry == Retry::Later => {}
            Err(error) => panic!("it is not kept: {error}"),
        }
    }
}

async fn sends(visitor: &mut Visitor, file: &Attachment) {
    let mut draft = draft("see here");
    draft.attachment_ids = vec![file.id];
    let command = Command::SendMessage {
        conversation_id: None,
        draft,
    };
    let ack = visitor.tries(command).await.expect("it is accepted");
    visitor.conversation = ack.conversation_id;
}

async fn downloads(stack: &Stack, visitor: &Visitor, file: &Attachment) -> Answer {
    let path = format!("/api/v1/attachments/{}", file.id);
    let call = visitor.client.access().call(Call::get(path));
    stack.asks(&call).await
}

async fn reads(stack: &Stack, visitor: &Visitor, file: &Attachment, body: &Bytes) {
    let answer = downloads(stack, visitor, file).await;
    assert_eq!(answer.status, 200);
    let header = |name: &str| answer.headers[name].to_str().expect("ASCII").to_owned();
    assert_eq!(header("content-length"), body.len().to_string());
    assert_eq!(header("content-type"), "text/plain");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-disposition").starts_with("attachment; "));
    let read = answer.into_body().expect("it is there");
    assert!(
        read == body,
        "{} bytes instead of {}",
        read.len(),
        body.len()
    );
}

fn is_refused_for_now<T: std::fmt::Debug>(refused: Result<T, Error>) {
    match refused {
        Err(Error::Refused(problem)) => {
            assert_eq!(problem.code, ErrorCode::Unavailable);
            assert_eq!(problem.retry, Retry::Later);
        }
        refused => panic!("not refused for now: {refused:?}"),
    }
}

/// What a bucket should hold, where it holds one file already.
fn keys(bucket: &Bucket, bodies: &[&Bytes]) -> BTreeSet<String> {
    let held = bucket.keys();
    let first = held.first().expect("it holds something");
    let (workspace, _) = first.split_once('/').expect("a key has parts");
    let _: WorkspaceId = workspace.parse().expect("keys begin with a workspace");
    let hashes = bodies.iter().map(|body| storage::blob::hash(body));
    hashes
        .map(|hash| format!("{workspace}/{}/{hash}", &hash[..2]))
        .collect()
}

async fn files_live_in_a_bucket_and_go_with_whom_they_belonged_to(mut stack: Stack) -> Stack {
    let bucket = Bucket::new();
    stack
        .restarts_with(|config| bucket.is_home_of(config))
        .await;
    let (small, large) = (lines(SMALL), lines(LARGE));
    let mut first = stack.visitor().await;
    for body in [&small, &large] {
        let file = uploads(&stack, &first, body).await.expect("it is kept");
        sends(&mut first, &file).await;
        reads(&stack, &first, &file, body).await;
    }
    // The same bytes are there once, whoever has them.
    let mut second = stack.visitor().await;
    let file = uploads(&stack, &second, &small).await.expect("it is kept");
    sends(&mut second, &file).await;
    reads(&stack, &second, &file, &small).await;
    let (both, one) = (keys(&bucket, &[&small, &large]), keys(&bucket, &[&small]));
    assert_eq!(bucket.keys(), both);
    stack.keeps_files(0).await;

    erase(&stack, &first).await;
    bucket.holds(&stack.world, &one).await;
    reads(&stack, &second, &file, &small).await;
    erase(&stack, &second).await;
    bucket.holds(&stack.world, &BTreeSet::new()).await;
    stack
}

async fn a_bucket_that_is_away_refuses_files_for_now_and_nothing_else(mut stack: Stack) -> Stack {
    let mut bucket = Bucket::new();
    stack
        .restarts_with(|config| bucket.is_home_of(config))
        .await;
    let (small, large) = (lines(SMALL), lines(LARGE));
    let mut visitor = stack.visitor().await;
    let kept = uploads(&stack, &visitor, &small).await;
    let kept = kept.expect("the bucket is there");
    sends(&mut visitor, &kept).await;
    let only_small = bucket.keys();

    bucket.goes();
    is_refused_for_now(uploads(&stack, &visitor, &lines(SMALL + 1)).await);
    let answer = downloads(&stack, &visitor, &kept).await;
    is_refused_for_now(answer.into_body());
    visitor.says("then without it").await;
    let mut agent = stack.agent().await;
    agent.opens(visitor.conversation()).await;
    agent.sees(visitor.conversation(), "then without it").await;

    // It looks, begins, puts the first of two parts, and then nobody answers.
    bucket.comes_back();
    bucket.breaks_off_after(3);
    is_refused_for_now(uploads(&stack, &visitor, &large).await);
    assert_eq!(bucket.keys(), only_small, "nobody gets to see a half");

    bucket.goes();
    bucket.comes_back();
    reads(&stack, &visitor, &kept, &small).await;
    let file = uploads_in_the_end(&stack, &visitor, &large).await;
    sends(&mut visitor, &file).await;
    reads(&stack, &visitor, &file, &large).await;
    // A start in which it is away finds it later.
    bucket.goes();
    stack
        .restarts_with(|config| bucket.is_home_of(config))
        .await;
    bucket.comes_back();
    reads(&stack, &visitor, &file, &large).await;
    let both = keys(&bucket, &[&small, &large]);
    bucket.holds(&stack.world, &both).await;
    stack
}

async fn a_bucket_that_refuses_us_is_an_error_at_the_start(mut stack: Stack) -> Stack {
    let bucket = Bucket::new();
    stack.stops().await;
    let fails = async |change: fn(&mut Config)| {
        let mut config = stack.config();
        bucket.is_home_of(&mut config);
        change(&mut config);
        let secret = config.attachments.s3_secret_access_key.clone();
        let started = server::serve(config, World::system()).await;
        let error = started.err().expect("it does not start");
        assert_eq!(error.exit_code(), 64, "{error}");
        let error = error.to_string();
        assert!(!error.contains(&secret), "{error}");
        error
    };
    let error = fails(|config| "wrong".clone_into(&mut config.attachments.s3_secret_access_key));
    let error = error.await;
    assert!(error.contains("the bucket refuses us"), "{error}");
    assert!(error.contains("SignatureDoesNotMatch"), "{error}");
    let error = fails(|config| "nobody".clone_into(&mut config.attachments.s3_access_key_id));
    let error = error.await;
    assert!(error.contains("the bucket refuses us"), "{error}");
    let error = fails(|config| "nowhere".clone_into(&mut config.attachments.s3_bucket)).await;
    assert!(error.contains("NoSuchBucket"), "{error}");
    stack.comes_back().await;
    stack
}
