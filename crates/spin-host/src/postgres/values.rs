//! Converts values between WIT and PostgreSQL.
//!
//! Not supported in either direction: `numeric`, ranges, arrays of `numeric`, and `interval`. A column
//! of `timestamptz` cannot be read on Spin either: select it as `timestamp` or as a number.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::bindings::spin::postgres::postgres::{DbDataType, DbValue, Error, ParameterValue};

type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// NULL of any type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The bytes of a value of any type.
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Converts a parameter, or returns why it is invalid.
pub(super) fn to_sql(value: ParameterValue) -> Result<Box<dyn ToSql + Sync + Send>, String> {
    fn bad(what: &str, error: impl std::fmt::Display) -> String {
        format!("invalid {what}: {error}")
    }
    let unsupported = |name: &str| Err(format!("{name} parameters are not supported by this host"));
    Ok(match value {
        ParameterValue::Boolean(value) => Box::new(value),
        ParameterValue::Int8(value) => Box::new(value),
        ParameterValue::Int16(value) => Box::new(value),
        ParameterValue::Int32(value) => Box::new(value),
        ParameterValue::Int64(value) => Box::new(value),
        ParameterValue::Floating32(value) => Box::new(value),
        ParameterValue::Floating64(value) => Box::new(value),
        ParameterValue::Str(value) => Box::new(value),
        ParameterValue::Binary(value) => Box::new(value),
        ParameterValue::Date((year, month, day)) => {
            Box::new(date(year, month, day).map_err(|error| bad("date", error))?)
        }
        ParameterValue::Time((hour, minute, second, nanosecond)) => {
            Box::new(time(hour, minute, second, nanosecond).map_err(|error| bad("time", error))?)
        }
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanosecond)) => {
            let date = date(year, month, day).map_err(|error| bad("date", error))?;
            let time = time(hour, minute, second, nanosecond).map_err(|error| bad("time", error))?;
            Box::new(DateTime::from_parts(date, time))
        }
        ParameterValue::Timestamp(seconds) => {
            Box::new(Timestamp::from_second(seconds).map_err(|error| bad("timestamp", error))?)
        }
        ParameterValue::Uuid(text) => Box::new(Uuid::parse_str(&text).map_err(|error| bad("UUID", error))?),
        ParameterValue::Jsonb(bytes) => {
            let value: serde_json::Value =
                serde_json::from_slice(&bytes).map_err(|error| bad("JSON", error))?;
            Box::new(value)
        }
        ParameterValue::ArrayInt32(values) => Box::new(values),
        ParameterValue::ArrayInt64(values) => Box::new(values),
        ParameterValue::ArrayStr(values) => Box::new(values),
        ParameterValue::DbNull => Box::new(Null),
        ParameterValue::Decimal(_) | ParameterValue::ArrayDecimal(_) => return unsupported("numeric"),
        ParameterValue::RangeInt32(_) | ParameterValue::RangeInt64(_) | ParameterValue::RangeDecimal(_) => {
            return unsupported("range");
        }
        ParameterValue::Interval(_) => return unsupported("interval"),
    })
}

fn date(year: i32, month: u8, day: u8) -> Result<Date, BoxError> {
    Ok(Date::new(
        i16::try_from(year)?,
        i8::try_from(month)?,
        i8::try_from(day)?,
    )?)
}

fn time(hour: u8, minute: u8, second: u8, nanosecond: u32) -> Result<Time, BoxError> {
    let nanosecond = i32::try_from(nanosecond)?;
    Ok(Time::new(
        i8::try_from(hour)?,
        i8::try_from(minute)?,
        i8::try_from(second)?,
        nanosecond,
    )?)
}

/// The type of a column as Spin names it.
pub(super) fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        _ => DbDataType::Other(ty.name().to_owned()),
    }
}

/// One value of a row, or `value-conversion-failed`.
pub(super) fn from_row(row: &Row, index: usize) -> Result<DbValue, Error> {
    let Some(column) = row.columns().get(index) else {
        return Ok(DbValue::DbNull);
    };
    let value = match *column.type_() {
        Type::BOOL => read(row, index, DbValue::Boolean),
        Type::BYTEA => read(row, index, DbValue::Binary),
        Type::FLOAT4 => read(row, index, DbValue::Floating32),
        Type::FLOAT8 => read(row, index, DbValue::Floating64),
        Type::INT2 => read(row, index, DbValue::Int16),
        Type::INT4 => read(row, index, DbValue::Int32),
        Type::INT8 => read(row, index, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, index, DbValue::Str),
        Type::DATE => read(row, index, |value: Date| DbValue::Date(date_parts(value))),
        Type::TIME => read(row, index, |value: Time| DbValue::Time(time_parts(value))),
        Type::TIMESTAMP => read(row, index, |value: DateTime| {
            let (year, month, day) = date_parts(value.date());
            let (hour, minute, second, nanosecond) = time_parts(value.time());
            DbValue::Datetime((year, month, day, hour, minute, second, nanosecond))
        }),
        Type::UUID => read(row, index, |value: Uuid| DbValue::Uuid(value.to_string())),
        Type::JSONB => read(row, index, |value: serde_json::Value| {
            DbValue::Jsonb(value.to_string().into_bytes())
        }),
        Type::INT4_ARRAY => read(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => read(row, index, DbValue::ArrayInt64),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => read(row, index, DbValue::ArrayStr),
        Type::TIMESTAMPTZ
        | Type::NUMERIC
        | Type::NUMERIC_ARRAY
        | Type::INT4_RANGE
        | Type::INT8_RANGE
        | Type::NUM_RANGE
        | Type::INTERVAL => {
            let (name, ty) = (column.name(), column.type_().name());
            return Err(Error::ValueConversionFailed(format!(
                "column {name} has type {ty}, which cannot be read"
            )));
        }
        _ => read(row, index, |value: Raw| DbValue::Unsupported(value.0)),
    };
    value.map_err(|error| Error::ValueConversionFailed(super::text(&error)))
}

fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    index: usize,
    to_value: impl FnOnce(T) -> DbValue,
) -> Result<DbValue, tokio_postgres::Error> {
    Ok(row
        .try_get::<_, Option<T>>(index)?
        .map_or(DbValue::DbNull, to_value))
}

fn date_parts(date: Date) -> (i32, u8, u8) {
    (
        i32::from(date.year()),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
    )
}

fn time_parts(time: Time) -> (u8, u8, u8, u32) {
    let nanosecond = time.subsec_nanosecond().unsigned_abs();
    (
        time.hour().unsigned_abs(),
        time.minute().unsigned_abs(),
        time.second().unsigned_abs(),
        nanosecond,
    )
}

/// About how many bytes a value takes.
pub(super) fn size(value: &DbValue) -> usize {
    size_of::<DbValue>()
        + match value {
            DbValue::Str(text) | DbValue::Uuid(text) => text.len(),
            DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
            DbValue::ArrayStr(values) => values.iter().flatten().map(|text| text.len() + 24).sum(),
            DbValue::ArrayInt32(values) => values.len() * 8,
            DbValue::ArrayInt64(values) => values.len() * 16,
            _ => 0,
        }
}
