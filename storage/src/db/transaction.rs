//! A group of batches as one transaction of Postgres, in as few goes as can be: all that can be said at a
//! time is sent at once and answered in order.
//!
//! First the rows of all are held and the guards decide; then what they let through is stored, rows of one
//! table as one statement. Guards of batches that hold the same row decide one after the other, each after
//! what the one before let through was stored.
//!
//! A group of nothing but guarded rows goes as one statement instead ([`crate::db::whole`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use deadpool_postgres::Object;
use postgres_types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::Statement;

use crate::db::batch::{Answer, Batch, Stmt};
use crate::db::hold;
use crate::db::list::{self, Shape};
use crate::db::postgres::postgres_error_in;
use crate::db::row::Row;
use crate::db::value::{Boxed, Value};
use crate::db::whole::Whole;
use crate::error::Error;

/// What came of a transaction that failed.
pub(crate) enum Failure {
    /// Another node locked in another order; nothing was stored, the same may be tried again.
    Deadlock,
    /// The connection broke: nobody knows.
    Broken(Error),
    /// Anything else: nothing was stored.
    Store(Error),
}

type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    fn of(error: tokio_postgres::Error, sql: &str) -> Self {
        if let Some("40P01" | "40001") = error.code().map(|code| code.code()) {
            return Self::Deadlock;
        }
        let is_answer = error.code().is_some();
        let error = postgres_error_in(error, sql);
        if error.is_unavailable() && !is_answer {
            Self::Broken(error)
        } else {
            Self::Store(error)
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Deadlock => Self::Unavailable("too much at a time".to_owned()),
            Failure::Broken(error) | Failure::Store(error) => error,
        }
    }
}

/// Fails where the node has lost its place in the store. Its row is held until the transaction ends, against
/// being taken away only: it may still be renewed.
pub(crate) const FENCE: &str = "SELECT fence($1)";

/// The code with which it fails.
pub(crate) const REPLACED: &str = "SB001";

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Commit,
    RollBack,
}

/// A connection of a writer, and the statements that were prepared on it. There are as many as the program
/// has texts; each is found by where its text stands in the program.
pub(crate) struct Line {
    client: Object,
    prepared: HashMap<(usize, usize, Many), Prepared>,
    /// Groups that were one statement, by the texts that they were made of.
    wholes: Vec<(Shape, Vec<&'static str>, Prepared)>,
}

/// Whether a statement stores one row or a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Many {
    No,
    Yes,
}

#[derive(Clone)]
struct Prepared {
    statement: Statement,
    columns: Arc<[String]>,
}

/// A statement on its way: which, with what, and who gets the answer.
struct Request<'a> {
    prepared: Prepared,
    sql: &'static str,
    params: Vec<Param<'a>>,
    to: To,
}

/// Who gets the answer of a statement.
enum To {
    /// Nobody waits for it.
    Nobody,
    /// A batch, in a place among its answers.
    Batch(usize, usize),
    /// The batches whose guards went as one, in that order, each the rows with its [`list::PLACE`].
    Guarded(Vec<usize>),
}

/// A statement for one row, and the row that its guard gave.
type Given<'a, 'g> = (&'a Stmt, Option<&'g Row>);

/// A parameter: a value, or the values of a column.
enum Param<'a> {
    One(Cow<'a, Value>),
    Column(Vec<Cow<'a, Value>>),
}

impl Line {
    pub(crate) fn new(client: Object) -> Self {
        Self {
            client,
            prepared: HashMap::new(),
            wholes: Vec::new(),
        }
    }

    /// Whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Takes the connection out of its pool and ends it.
    pub(crate) fn end(self) {
        drop(Object::take(self.client));
    }

    /// Runs batches as one transaction; `fence` is the statement that fails where another server has taken the
    /// place of this one. It comes first: who takes the place waits until what it let through is over.
    pub(crate) async fn run(
        &mut self,
        fence: Option<&Stmt>,
        batches: &[&Batch],
        end: End,
    ) -> Result<Vec<Vec<Answer>>> {
        let mut answers: Vec<Vec<Answer>> = batches
            .iter()
            .map(|batch| Vec::with_capacity(batch.stmts.len() + 1))
            .collect();
        let done = self.run_waves(fence, batches, end, &mut answers).await;
        match done {
            Ok(()) => Ok(answers),
            Err(failure @ Failure::Broken(_)) => Err(failure),
            Err(failure) => match self.client.batch_execute("ROLLBACK").await {
                Ok(()) => Err(failure),
                Err(error) => Err(Failure::of(error, "ROLLBACK")),
            },
        }
    }

    /// Runs a group as one statement. Guards that gave no row are to be asked again, with what they need held.
    pub(crate) async fn run_whole(
        &mut self,
        fence: Option<&Stmt>,
        whole: &Whole<'_>,
    ) -> Result<Vec<Vec<Answer>>> {
        let texts = whole.texts();
        let prepared = self.prepared_whole(fence, whole, &texts).await?;
        let one = |value| Param::One(Cow::Borrowed(value));
        let mut params: Vec<_> = match whole.shape() {
            Shape::Rows(_) => whole.values().map(one).collect(),
            Shape::Columns => whole.columns().map(Param::Column).collect(),
        };
        params.extend(fence.iter().flat_map(|fence| &fence.params).map(one));
        let request = Request {
            prepared,
            sql: texts[0],
            params,
            to: To::Guarded((0..whole.len()).collect()),
        };
        let answer = self.execute(&request).await;
        let answer = answer.map_err(|error| Failure::of(error, request.sql))?;
        let mut answers: Vec<Vec<Answer>> = vec![Vec::new(); whole.len()];
        request
            .to
            .give(answer, &mut answers)
            .map_err(Failure::Store)?;
        Ok(answers)
    }

    async fn prepared_whole(
        &mut self,
        fence: Option<&Stmt>,
        whole: &Whole<'_>,
        texts: &[&'static str],
    ) -> Result<Prepared> {
        let shape = whole.shape();
        let mut wholes = self.wholes.iter();
        if let Some((.., prepared)) = wholes.find(|(of, known, _)| *of == shape && known == texts) {
            return Ok(prepared.clone());
        }
        let columns = self.prepared(texts[0], Many::No).await?.columns;
        let mut types = Vec::with_capacity(texts.len());
        for sql in texts {
            let prepared = self.prepared(sql, Many::No).await?;
            types.push(prepared.statement.params().to_vec());
        }
        let sql = whole.sql(&types, &columns, fence);
        let prepared = self.prepare(&sql, texts[0]).await?;
        self.wholes.push((shape, texts.to_vec(), prepared.clone()));
        Ok(prepared)
    }

    async fn run_waves(
        &mut self,
        fence: Option<&Stmt>,
        batches: &[&Batch],
        end: End,
        answers: &mut [Vec<Answer>],
    ) -> Result<()> {
        let waves = hold::waves(batches);
        let holds = hold::stmts(batches);
        let mut requests = Vec::new();
        for stmt in fence.into_iter().chain(&holds) {
            requests.push(self.request(stmt, None, To::Nobody).await?);
        }
        let mut first = Some("BEGIN");
        let mut before: &[usize] = &[];
        for wave in &waves {
            self.push_rest(batches, before, answers, &mut requests)
                .await?;
            self.push_guards(batches, wave, &mut requests).await?;
            let sent = std::mem::take(&mut requests);
            self.go(first.take(), sent, None, answers).await?;
            before = wave;
        }
        self.push_rest(batches, before, answers, &mut requests)
            .await?;
        for (index, batch) in batches.iter().enumerate() {
            if batch.guard.is_none() {
                for (place, stmt) in batch.stmts.iter().enumerate() {
                    let to = To::Batch(index, place);
                    requests.push(self.request(stmt, None, to).await?);
                }
            }
        }
        let end = match end {
            End::Commit => "COMMIT",
            End::RollBack => "ROLLBACK",
        };
        self.go(first, requests, Some(end), answers).await
    }

    /// Adds the guards of a wave. Those of one text that each change one row go as one statement.
    async fn push_guards<'a>(
        &mut self,
        batches: &[&'a Batch],
        wave: &[usize],
        requests: &mut Vec<Request<'a>>,
    ) -> Result<()> {
        let mut rows: Vec<(&'static str, Vec<(usize, &'a Stmt)>)> = Vec::new();
        for index in wave {
            let Some(guard) = &batches[*index].guard else {
                continue;
            };
            let same = |(sql, _): &&mut (&'static str, _)| std::ptr::eq(*sql, guard.sql);
            match rows.iter_mut().find(same) {
                Some((_, there)) if guard.is_row => there.push((*index, guard)),
                Some(_) | None => rows.push((guard.sql, vec![(*index, guard)])),
            }
        }
        for (_, guards) in rows {
            if let [(index, guard)] = guards[..] {
                let to = To::Batch(index, 0);
                requests.push(self.request(guard, None, to).await?);
            } else {
                let (indexes, guards): (_, Vec<_>) = guards.into_iter().unzip();
                let stmts: Vec<_> = guards.into_iter().map(|guard| (guard, None)).collect();
                requests.push(self.rows(&stmts, To::Guarded(indexes)).await?);
            }
        }
        Ok(())
    }

    /// Adds what the guards of a wave let through. What stands before a batch's last row comes first, in order;
    /// then the rows of all, table by table; then what stands after them.
    async fn push_rest<'a>(
        &mut self,
        batches: &[&'a Batch],
        wave: &[usize],
        answers: &[Vec<Answer>],
        requests: &mut Vec<Request<'a>>,
    ) -> Result<()> {
        let mut rows: Vec<(&'static str, Vec<Given<'a, '_>>)> = Vec::new();
        let mut after = Vec::new();
        // The guards' rows outlive what is sent: their numbers are copied into the parameters.
        for index in wave {
            let Some(guard) = answers[*index].first().and_then(|guard| guard.rows.first()) else {
                continue;
            };
            let stmts = &batches[*index].stmts;
            let last_row = stmts.iter().rposition(|stmt| stmt.is_row).unwrap_or(0);
            for (place, stmt) in stmts.iter().enumerate() {
                let to = To::Batch(*index, place + 1);
                if stmt.is_row {
                    match rows
                        .iter_mut()
                        .find(|(sql, _)| std::ptr::eq(*sql, stmt.sql))
                    {
                        Some((_, there)) => there.push((stmt, Some(guard))),
                        None => rows.push((stmt.sql, vec![(stmt, Some(guard))])),
                    }
                } else if place < last_row {
                    requests.push(self.request(stmt, Some(guard), to).await?);
                } else {
                    after.push(self.request(stmt, Some(guard), to).await?);
                }
            }
        }
        for (_, rows) in rows {
            requests.push(self.rows(&rows, To::Nobody).await?);
        }
        requests.append(&mut after);
        Ok(())
    }

    /// A statement with its values; `guard` is the row that the batch's guard gave.
    async fn request<'a>(
        &mut self,
        stmt: &'a Stmt,
        guard: Option<&Row>,
        to: To,
    ) -> Result<Request<'a>> {
        let prepared = self.prepared(stmt.sql, Many::No).await?;
        let params = (0..stmt.params.len())
            .map(|place| Ok(Param::One(given(stmt, place, guard)?)))
            .collect::<Result<_>>()?;
        Ok(Request {
            prepared,
            sql: stmt.sql,
            params,
            to,
        })
    }

    /// Rows of one table as one statement.
    async fn rows<'a>(&mut self, rows: &[Given<'a, '_>], to: To) -> Result<Request<'a>> {
        let sql = rows[0].0.sql;
        let many = if rows.len() > 1 { Many::Yes } else { Many::No };
        let prepared = self.prepared(sql, many).await?;
        let params = (0..rows[0].0.params.len())
            .map(|place| {
                let mut column = rows
                    .iter()
                    .map(|(stmt, guard)| given(stmt, place, *guard))
                    .collect::<Result<Vec<_>>>()?;
                Ok(match (many, column.pop()) {
                    (Many::No, Some(value)) => Param::One(value),
                    (_, last) => {
                        column.extend(last);
                        Param::Column(column)
                    }
                })
            })
            .collect::<Result<_>>()?;
        Ok(Request {
            prepared,
            sql,
            params,
            to,
        })
    }

    async fn prepared(&mut self, sql: &'static str, many: Many) -> Result<Prepared> {
        let place = (sql.as_ptr().addr(), sql.len(), many);
        if let Some(prepared) = self.prepared.get(&place) {
            return Ok(prepared.clone());
        }
        let mut prepared = self.prepare(sql, sql).await?;
        if many == Many::Yes {
            let list = list::of(sql, prepared.statement.params());
            prepared = self.prepare(&list, sql).await?;
        }
        self.prepared.insert(place, prepared.clone());
        Ok(prepared)
    }

    /// Prepares a text that was made from another one.
    async fn prepare(&self, sql: &str, of: &'static str) -> Result<Prepared> {
        let statement = self.client.prepare(sql).await;
        let statement = statement.map_err(|error| Failure::of(error, of))?;
        let columns = statement.columns().iter();
        Ok(Prepared {
            columns: columns.map(|column| column.name().to_owned()).collect(),
            statement,
        })
    }

    /// Sends statements at once and takes in their answers in order. If one fails, those after it fail too,
    /// and Postgres turns a commit among them into a rollback.
    async fn go(
        &self,
        first: Option<&'static str>,
        requests: Vec<Request<'_>>,
        last: Option<&'static str>,
        answers: &mut [Vec<Answer>],
    ) -> Result<()> {
        let plain = async |sql: Option<&'static str>| match sql {
            Some(sql) => self.client.batch_execute(sql).await,
            None => Ok(()),
        };
        let mut began = Box::pin(plain(first));
        let mut begun = Sent::send(began.as_mut()).await;
        let mut answering = Vec::with_capacity(requests.len());
        for request in &requests {
            let mut answer = Box::pin(self.execute(request));
            let sent = Sent::send(answer.as_mut()).await;
            answering.push((answer, sent));
        }
        // A statement whose values do not fit was never sent: what was sent without it must not be kept.
        let unsent = answering.iter().any(|(_, sent)| sent.is_err());
        let mut ended = Box::pin(plain(last.filter(|_| !unsent)));
        let mut end = Sent::send(ended.as_mut()).await;
        let begun = begun.answer(began.as_mut()).await;
        let mut found = Vec::with_capacity(answering.len());
        for (mut answer, mut sent) in answering {
            found.push(sent.answer(answer.as_mut()).await);
        }
        let ended = end.answer(ended.as_mut()).await;
        begun.map_err(|error| Failure::of(error, "BEGIN"))?;
        for (answer, request) in found.into_iter().zip(&requests) {
            let answer = answer.map_err(|error| Failure::of(error, request.sql))?;
            request.to.give(answer, answers).map_err(Failure::Store)?;
        }
        ended.map_err(|error| Failure::of(error, "COMMIT"))
    }

    async fn execute(
        &self,
        request: &Request<'_>,
    ) -> std::result::Result<Answer, tokio_postgres::Error> {
        let params: Vec<&(dyn ToSql + Sync)> = request
            .params
            .iter()
            .map(|param| param as &(dyn ToSql + Sync))
            .collect();
        execute(
            &self.client,
            &request.prepared.statement,
            &request.prepared.columns,
            &params,
        )
        .await
    }
}

impl To {
    /// Puts an answer where it belongs.
    fn give(&self, answer: Answer, answers: &mut [Vec<Answer>]) -> crate::error::Result<()> {
        match self {
            Self::Nobody => {}
            Self::Batch(batch, place) => {
                let answers = &mut answers[*batch];
                if answers.len() <= *place {
                    answers.resize_with(*place + 1, Answer::default);
                }
                answers[*place] = answer;
            }
            Self::Guarded(batches) => {
                for batch in batches {
                    answers[*batch].push(Answer::default());
                }
                for row in answer.rows {
                    let place = usize::try_from(row.small(list::PLACE)? - 1).unwrap_or(usize::MAX);
                    let missing = || Error::Corrupt("a guard that was not asked".to_owned());
                    let batch = batches.get(place).ok_or_else(missing)?;
                    let guard = &mut answers[*batch][0];
                    guard.changed += 1;
                    guard.rows.push(row);
                }
            }
        }
        Ok(())
    }
}

fn given<'a>(stmt: &'a Stmt, place: usize, guard: Option<&Row>) -> Result<Cow<'a, Value>> {
    stmt.value(place, guard).map_err(Failure::Store)
}

/// Runs one statement.
pub(crate) async fn execute(
    client: &Object,
    statement: &Statement,
    columns: &Arc<[String]>,
    params: &[&(dyn ToSql + Sync)],
) -> std::result::Result<Answer, tokio_postgres::Error> {
    if columns.is_empty() {
        let changed = client.execute(statement, params).await?;
        return Ok(Answer {
            rows: Vec::new(),
            changed,
        });
    }
    let rows = client.query(statement, params).await?;
    let rows = rows
        .iter()
        .map(|row| {
            let values = (0..columns.len()).map(|index| row.try_get(index));
            Ok(Row::new(
                Arc::clone(columns),
                values.collect::<std::result::Result<_, _>>()?,
            ))
        })
        .collect::<std::result::Result<Vec<_>, tokio_postgres::Error>>()?;
    let changed = rows.len() as u64;
    Ok(Answer { rows, changed })
}

/// What came of a future when it was first polled: its request was sent, the answer may be there or not.
struct Sent<T>(Option<T>);

impl<T> Sent<T> {
    async fn send(mut future: Pin<&mut impl Future<Output = T>>) -> Self {
        poll_fn(|context| {
            Poll::Ready(Self(match future.as_mut().poll(context) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            }))
        })
        .await
    }

    async fn answer(&mut self, future: Pin<&mut impl Future<Output = T>>) -> T {
        match self.0.take() {
            Some(answer) => answer,
            None => future.await,
        }
    }
}

impl<T, E> Sent<std::result::Result<T, E>> {
    fn is_err(&self) -> bool {
        matches!(self.0, Some(Err(_)))
    }
}

impl std::fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be words of people.
        f.write_str("Param")
    }
}

/// One of a column's values.
#[derive(Debug)]
struct Item<'a>(&'a Value);

impl ToSql for Item<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Boxed> {
        self.0.to_sql(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Boxed> {
        match self {
            Self::One(value) => value.as_ref().to_sql(ty, out),
            Self::Column(values) => {
                let items: Vec<_> = values.iter().map(|value| Item(value.as_ref())).collect();
                items.to_sql(ty, out)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
