//! Speed and size, on real parts: `make bench`.
//!
//! The last line on stdout is one JSON object. A figure that could not be measured is absent, and said on stderr.
//! Arguments name the measures to take; without any, all are taken.
#![allow(clippy::disallowed_methods, clippy::print_stdout, missing_docs)]

mod measure;

use std::process::ExitCode;

use anyhow::Result;

use measure::figures::Figures;

type Measure = fn(&mut Figures) -> Result<()>;

const MEASURES: &[(&str, Measure)] = &[
    ("latency", measure::latency::measure),
    ("noop", measure::noop::measure),
    ("cold", measure::cold::measure),
    ("host", measure::host::measure),
    ("query", measure::query::measure),
    ("render", measure::render::measure),
    ("status", measure::status::measure),
    ("serve", measure::serve::measure),
    ("verify", measure::verify::measure),
    ("template", measure::template::measure),
];

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) = wanted.iter().find(|name| MEASURES.iter().all(|(known, _)| known != name)) {
        let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        eprintln!("bench: no measure is named {unknown}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut figures = Figures::default();
    let mut failed = false;
    for (name, measure) in MEASURES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("bench: {name} …");
        if let Err(error) = measure(&mut figures) {
            eprintln!("bench: {name} could not be measured: {error:?}");
            failed = true;
        }
    }
    println!("{}", figures.to_json());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
