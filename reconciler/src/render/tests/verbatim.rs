//! Which contents are files of the repository as they are.

use muster_schema::BlobId;

use super::super::{FactsOfFleet, render_host};
use crate::model::tests::load;

const REPOSITORY: &str = "=== muster.yaml\nschema: 1\nfleet: test
=== environments/lab/hosts/web-1.yaml\napplications: {web: {}}
=== applications/web/application.yaml
resources:
  files:
    /etc/as-it-is: {source: as-it-is}
    /etc/again: {source: as-it-is}
    /etc/empty: {source: empty}
    /etc/rendered: {template: rendered}
    /etc/given: {content: \"given {{ host.id }}\"}
  directories:
    /etc/tree: {source: tree}
=== applications/web/files/as-it-is\n{{ no template }}\r\n
=== applications/web/files/empty
=== applications/web/files/rendered\nof {{ host.id }}
=== applications/web/files/tree/below\nbelow\n";

#[test]
fn files_as_they_are_are_named_as_git_names_them_and_nothing_else_is() {
    let (model, found) = load(REPOSITORY);
    assert_eq!(found, []);
    let host = "web-1".parse().expect("an id");
    let rendered = render_host(&model, &host, &FactsOfFleet::default()).unwrap_or_else(|error| panic!("{error:?}"));
    let texts = rendered.verbatim.keys().map(|digest| String::from_utf8_lossy(&rendered.blobs[digest]).into_owned());
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("{{ no template }}")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("web-1")), "{texts:?}");
    for (digest, id) in &rendered.verbatim {
        assert_eq!(*id, BlobId::of(&rendered.blobs[digest]));
    }
}
