//! What stands behind the `?` of a request.

use axum::extract::Query;
use axum::http::Uri;
use muster_schema::api::{Problem, ProblemReason};
use muster_schema::fleet_api::{DEFAULT_LIMIT, Filter, MAX_LIMIT};
use serde::de::DeserializeOwned;

#[cfg(test)]
mod tests;

const FIELDS: &str = "fields";
const LIMIT: &str = "limit";
const AFTER: &str = "after";

/// What is wanted of a document or of a list. Nothing in it is passed over: a misspelt filter would show too much.
#[derive(Debug)]
pub(super) struct Question {
    filters: Vec<(String, String)>,
    /// The only fields that are wanted.
    pub(super) fields: Option<Vec<String>>,
    /// The most items of the page.
    pub(super) limit: usize,
    /// Where the page begins.
    pub(super) after: Option<String>,
}

impl Question {
    /// A question for one document.
    ///
    /// # Errors
    /// When something is asked that is not known here.
    pub(super) fn of_one(uri: &Uri) -> Result<Question, Problem> {
        Question::load(uri, &[FIELDS])
    }

    /// A question for a list which may be asked by these filters.
    ///
    /// # Errors
    /// When something is asked that is not known here, or twice.
    pub(super) fn of_list(uri: &Uri, filters: &[Filter]) -> Result<Question, Problem> {
        let names: Vec<&str> = filters.iter().map(|filter| filter.name).chain([LIMIT, AFTER, FIELDS]).collect();
        Question::load(uri, &names)
    }

    fn load(uri: &Uri, names: &[&str]) -> Result<Question, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| bad(error.body_text()))?;
        let mut question = Question { filters: Vec::new(), fields: None, limit: DEFAULT_LIMIT, after: None };
        for (number, (name, value)) in pairs.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let hint = format!("it may be asked by {}", names.join(", "));
                return Err(bad(format!("this cannot be asked by {name:?}")).with_hint(hint));
            }
            if pairs.iter().take(number).any(|(before, _)| before == name) {
                return Err(bad(format!("{name} is given twice")));
            }
            match name.as_str() {
                FIELDS => question.fields = Some(value.split(',').map(|field| field.trim().to_owned()).collect()),
                LIMIT => question.limit = load_limit(value)?,
                AFTER => question.after = Some(value.clone()),
                _ => question.filters.push((name.clone(), value.clone())),
            }
        }
        Ok(question)
    }

    /// The text of a filter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.filters.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The value of a filter.
    ///
    /// # Errors
    /// When it is none of those that the filter takes.
    pub(super) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let value = serde_json::from_value(serde_json::Value::String(text.to_owned()));
        value.map(Some).map_err(|error| bad(format!("{name}: {error}")))
    }
}

fn load_limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| bad(format!("limit is {text:?}, and not a number from 1 to {MAX_LIMIT}")))
}

/// A question that is of no known form.
pub(super) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemReason::BadRequest, detail)
}
