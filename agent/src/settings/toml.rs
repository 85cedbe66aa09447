//! TOML, edited by `toml_edit`, which keeps comments and order.

use super::{SettingsError, not_well_formed};
use serde_json::{Map, Number, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

pub(super) fn load(text: &str) -> Result<Value, SettingsError> {
    Ok(of_table(parse(text)?.as_table()))
}

fn parse(text: &str) -> Result<DocumentMut, SettingsError> {
    text.parse().map_err(|error: toml_edit::TomlError| not_well_formed(&error.message()))
}

pub(super) fn edit(text: &str, key: &[String], value: Option<&Value>) -> Result<String, SettingsError> {
    let mut document = parse(text)?;
    match value {
        Some(value) => put(document.as_table_mut(), key, value)?,
        None => drop(remove(document.as_table_mut(), key)),
    }
    Ok(document.to_string())
}

fn put(table: &mut dyn TableLike, key: &[String], value: &Value) -> Result<(), SettingsError> {
    let Some((first, rest)) = key.split_first() else { return Ok(()) };
    if rest.is_empty() {
        let mut new = to_toml(value)?;
        match table.get_mut(first).and_then(Item::as_value_mut) {
            Some(old) => {
                // A comment behind the value is part of how it is written.
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            None => drop(table.insert(first, Item::Value(new))),
        }
        return Ok(());
    }
    let inner = table.entry(first).or_insert_with(|| {
        let mut made = Table::new();
        // Tables that hold only tables need no header of their own.
        made.set_implicit(rest.len() > 1);
        Item::Table(made)
    });
    let inner = inner.as_table_like_mut();
    let inner =
        inner.ok_or_else(|| SettingsError::new(format_args!("has something else than a table in '{first}'")))?;
    put(inner, rest, value)
}

/// Takes the key out, and tables that are empty then. Answers whether there was one.
fn remove(table: &mut dyn TableLike, key: &[String]) -> bool {
    let Some((first, rest)) = key.split_first() else { return false };
    if rest.is_empty() {
        return table.remove(first).is_some();
    }
    let Some(inner) = table.get_mut(first).and_then(Item::as_table_like_mut) else { return false };
    let removed = remove(inner, rest);
    if removed && inner.is_empty() {
        table.remove(first);
    }
    removed
}

fn to_toml(value: &Value) -> Result<toml_edit::Value, SettingsError> {
    Ok(match value {
        Value::Null => return Err(SettingsError::new("has no null")),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) if !number.is_nan() && number.fract() != 0.0 => number.into(),
            _ => return Err(SettingsError::new(format_args!("holds no number as large as {number}"))),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => {
            toml_edit::Value::Array(items.iter().map(to_toml).collect::<Result<Array, SettingsError>>()?)
        }
        Value::Object(map) => {
            let mut table = InlineTable::new();
            for (name, value) in map {
                table.insert(name, to_toml(value)?);
            }
            toml_edit::Value::InlineTable(table)
        }
    })
}

fn of_table(table: &dyn TableLike) -> Value {
    Value::Object(table.iter().map(|(name, item)| (name.to_owned(), of_item(item))).collect::<Map<_, _>>())
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => Value::Array(tables.iter().map(|table| of_table(table)).collect()),
    }
}

fn of_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Number::from_f64(*number.value()).map_or(Value::Null, Value::Number),
        toml_edit::Value::Boolean(value) => Value::from(*value.value()),
        toml_edit::Value::Datetime(time) => Value::from(time.value().to_string()),
        toml_edit::Value::Array(items) => Value::Array(items.iter().map(of_value).collect()),
        toml_edit::Value::InlineTable(table) => of_table(table),
    }
}
