//! A row, whose getters fail loudly: a missing column or a wrong type is damage, never a default.

use std::str::FromStr;
use std::sync::Arc;

use crate::db::value::Value;
use crate::error::{Error, Result};

/// A row of an answer.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The value of a column.
    ///
    /// # Errors
    /// `Corrupt` if there is no such column.
    pub fn value(&self, column: &str) -> Result<&Value> {
        self.columns
            .iter()
            .position(|name| name == column)
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| Error::Corrupt(format!("column {column} is not in the answer")))
    }

    /// A text.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn text(&self, column: &str) -> Result<String> {
        self.maybe_text(column)?
            .ok_or_else(|| wrong(column, "text"))
    }

    /// A text, or nothing.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn maybe_text(&self, column: &str) -> Result<Option<String>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            Value::Integer(_) | Value::Flag(_) | Value::Bytes(_) | Value::Real(_) => {
                Err(wrong(column, "text"))
            }
        }
    }

    /// A whole number from zero.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn number(&self, column: &str) -> Result<u64> {
        self.maybe_number(column)?
            .ok_or_else(|| wrong(column, "number"))
    }

    /// A whole number from zero, or nothing.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn maybe_number(&self, column: &str) -> Result<Option<u64>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Integer(number) => u64::try_from(*number)
                .map(Some)
                .map_err(|_| wrong(column, "number from zero")),
            Value::Text(_) | Value::Flag(_) | Value::Bytes(_) | Value::Real(_) => {
                Err(wrong(column, "number"))
            }
        }
    }

    /// A number that fits into 32 bits.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn small(&self, column: &str) -> Result<u32> {
        u32::try_from(self.number(column)?).map_err(|_| wrong(column, "number of 32 bits"))
    }

    /// Yes or no.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn flag(&self, column: &str) -> Result<bool> {
        match self.value(column)? {
            Value::Flag(flag) => Ok(*flag),
            Value::Integer(0) => Ok(false),
            Value::Integer(1) => Ok(true),
            Value::Null | Value::Integer(_) | Value::Text(_) | Value::Bytes(_) | Value::Real(_) => {
                Err(wrong(column, "flag"))
            }
        }
    }

    /// Bytes.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        match self.value(column)? {
            Value::Bytes(bytes) => Ok(bytes.clone()),
            Value::Null | Value::Integer(_) | Value::Text(_) | Value::Flag(_) | Value::Real(_) => {
                Err(wrong(column, "bytes"))
            }
        }
    }

    /// A number with a fraction, or nothing.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn maybe_real(&self, column: &str) -> Result<Option<f64>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Real(number) => Ok(Some(*number)),
            Value::Integer(_) | Value::Text(_) | Value::Flag(_) | Value::Bytes(_) => {
                Err(wrong(column, "number with a fraction"))
            }
        }
    }

    /// An id, or anything else that is read from a text.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn id<I: FromStr>(&self, column: &str) -> Result<I> {
        self.text(column)?.parse().map_err(|_| wrong(column, "id"))
    }

    /// An id, or nothing.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn maybe_id<I: FromStr>(&self, column: &str) -> Result<Option<I>> {
        self.maybe_text(column)?
            .map(|text| text.parse().map_err(|_| wrong(column, "id")))
            .transpose()
    }

    /// A stored word of one of our enums.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn word<T>(&self, column: &str, of: fn(&str) -> Option<T>) -> Result<T> {
        of(&self.text(column)?).ok_or_else(|| wrong(column, "known word"))
    }

    /// A value that is stored as JSON.
    ///
    /// # Errors
    /// `Corrupt` for anything else.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| wrong(column, "JSON"))
    }
}

fn wrong(column: &str, wanted: &str) -> Error {
    Error::Corrupt(format!("column {column} is no {wanted}"))
}
