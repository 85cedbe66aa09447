//! Ten thousand templates of 2 KiB, a hundred thousand strings, on one processor.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use minijinja::context;
use muster_reconciler::template::{Template, Templates};

use super::figures::Figures;

const FILES: usize = 10_000;
const STRINGS: usize = 100_000;
const TEXTS: [&str; 4] =
    ["{{ port }}", "{{ name }}.conf", "{{ hosts | map(attribute='address') | list }}", "{{ name ~ port }}"];

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let template = Template::compile_file(&Arc::from(source()?)).map_err(|fault| anyhow!("{fault:?}"))?;
    let hosts = vec![context!(address => "192.0.2.1"), context!(address => "192.0.2.2")];
    let scope = context! { name => "web", port => 80, hosts => hosts };
    let evaluate = |template: &Template| template.evaluate(&scope).map_err(|fault| anyhow!("{fault:?}"));
    let bytes = evaluate(&template)?.as_str().map_or(0, str::len);
    ensure!(bytes > 2000, "the template gives {bytes} bytes only");

    let begun = Instant::now();
    for _ in 0..FILES {
        evaluate(&template)?;
    }
    figures.note("template_10k_files_s", begun.elapsed().as_secs_f64(), 1.5);

    let texts = TEXTS.map(Arc::<str>::from);
    let templates = Templates::default();
    let begun = Instant::now();
    for text in texts.iter().cycle().take(STRINGS) {
        let compiled = templates.string(text).map_err(|fault| anyhow!("{fault:?}"))?;
        evaluate(&compiled)?;
    }
    figures.note("template_100k_strings_s", begun.elapsed().as_secs_f64(), 1.5);
    Ok(())
}

fn source() -> Result<String> {
    let mut source = String::from("# {{ name }}\n");
    for line in 0..36 {
        let comment = "x".repeat(24);
        writeln!(source, "upstream_{line} {{{{ name }}}}:{{{{ port + {line} }}}} weight={line}; # {comment}")?;
    }
    source.push_str("{% for host in hosts %}server {{ host.address }}:{{ port }};\n{% endfor %}");
    Ok(source)
}
