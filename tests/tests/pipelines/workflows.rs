//! What the YAML files say.

use muster_reconciler::io::repository::list_folder;
use muster_reconciler::model::{ModelCache, load_model};
use serde_yaml::Value;

use crate::examples;

fn read(path: &str) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(examples().join(path)).unwrap()).unwrap()
}

#[test]
fn the_jobs_run_the_scripts_for_pull_requests_alone() {
    for path in [".gitea/workflows/plan.yaml", ".github/workflows/plan.yaml"] {
        let workflow = read(path);
        assert_eq!(workflow["on"], serde_yaml::from_str::<Value>("[pull_request]").unwrap(), "{path}");
        assert_eq!(workflow["permissions"]["contents"], "read", "{path}");
        assert_eq!(workflow["permissions"]["pull-requests"], "write", "{path}");
        let steps = workflow["jobs"]["plan"]["steps"].as_sequence().unwrap();
        assert_eq!(steps[0]["with"]["fetch-depth"], 0, "{path}: the base needs the history");
        assert_eq!(steps[0]["with"]["persist-credentials"], false, "{path}");
        assert_eq!(steps[1]["run"], "sh ci/plan.sh", "{path}");
        // Text of a candidate in a command would be run: all of it comes by the environment.
        assert!(steps.iter().filter_map(|step| step["run"].as_str()).all(|run| !run.contains("${{")), "{path}");
        assert!(steps[1]["env"].as_mapping().unwrap().contains_key("MUSTER_PULL_REQUEST"), "{path}");
    }
    let pipeline = read(".gitlab-ci.yml");
    assert_eq!(pipeline["plan"]["script"][0], "sh ci/plan.sh");
    assert_eq!(pipeline["plan"]["variables"]["GIT_DEPTH"], "0");
    assert_eq!(pipeline["plan"]["rules"][0]["if"], "$CI_PIPELINE_SOURCE == \"merge_request_event\"");
}

#[test]
fn they_are_no_documents_of_the_state() {
    let files = list_folder(&examples()).unwrap();
    let (model, found) = load_model(&files, &mut ModelCache::default());
    assert_eq!(found, []);
    assert_eq!(model.hosts().count(), 5);
    assert!(examples().join(".gitlab-ci.yml").exists() && examples().join("ci/comment.sh").exists());
}
