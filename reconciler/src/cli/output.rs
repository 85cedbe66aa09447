//! Tables for people, JSON and YAML for programs.

use super::say::{print, say};
use std::io::IsTerminal;

use serde::Serialize;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

impl Format {
    /// What was asked for; else a table for a terminal and JSON for a pipe.
    pub(super) fn or_default(format: Option<Format>) -> Format {
        format.unwrap_or(if std::io::stdout().is_terminal() { Format::Table } else { Format::Json })
    }
}

/// Prints `value` as JSON or YAML; a table is the caller's.
pub(super) fn print_document(format: Format, value: &impl Serialize) -> Result<(), anyhow::Error> {
    match format {
        Format::Yaml => print(format_args!("{}", serde_yaml::to_string(value)?)),
        Format::Table | Format::Json => say!("{}", serde_json::to_string_pretty(value)?),
    }
    Ok(())
}

/// Prints aligned columns. Text from elsewhere is made inert first.
pub(super) fn print_table(header: &[&str], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| inert(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|cell| cell.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let line = |cells: &mut dyn Iterator<Item = &str>, colour: bool| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| {
                let text = format!("{cell:<width$}");
                match colour_of(cell).filter(|_| colour) {
                    Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
                    None => text,
                }
            })
            .collect();
        say!("{}", padded.join("  ").trim_end());
    };
    line(&mut header.iter().copied(), false);
    for row in &rows {
        line(&mut row.iter().map(String::as_str), colour);
    }
}

/// Text without control characters: a terminal shows it and does nothing else.
pub(super) fn inert(text: &str) -> String {
    let show = |c: char| if c.is_control() { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() };
    text.chars().map(show).collect()
}

fn colour_of(cell: &str) -> Option<&'static str> {
    match cell {
        "Synced" | "Healthy" | "Live" | "Verified" => Some("32"),
        "OutOfSync" | "Degraded" | "Lost" | "Rejected" => Some("31"),
        "Progressing" | "Pending" | "Stale" | "Faulty" => Some("33"),
        "Unknown" | "NeverSeen" | "Suspended" => Some("2"),
        _ => None,
    }
}
