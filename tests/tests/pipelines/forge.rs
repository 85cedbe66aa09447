//! A forge, as far as comments of one pull request go, after the public documentation of each:
//! - Gitea and Forgejo (swagger of `/api/v1`): the list has no pages; 201 and 200; 403 who is neither poster nor writer.
//! - GitHub (REST, "Issue comments"): 30 a page, at most 100, oldest first; 201 and 200; 422 above 65,536 characters.
//! - GitLab (REST, "Notes"): 20 a page, at most 100, newest first; 201 and 200, by PUT; `PRIVATE-TOKEN`.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::request::Request;

const TOKEN: &str = "secret-token";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gitea,
    Forgejo,
    GitHub,
    GitLab,
}

impl Kind {
    /// Under which name the token of a job comments.
    pub(crate) fn own_name(self) -> &'static str {
        match self {
            Kind::Gitea => "gitea-actions",
            Kind::Forgejo => "forgejo-actions",
            Kind::GitHub => "github-actions[bot]",
            Kind::GitLab => "project_7_bot",
        }
    }

    pub(crate) fn edit(self) -> &'static str {
        if self == Kind::GitLab { "PUT" } else { "PATCH" }
    }

    /// The path of the list, and of one comment without its id.
    fn paths(self) -> (&'static str, &'static str) {
        match self {
            Kind::Gitea | Kind::Forgejo => {
                ("/api/v1/repos/ops/fleet/issues/5/comments", "/api/v1/repos/ops/fleet/issues/comments/")
            }
            Kind::GitHub => ("/repos/ops/fleet/issues/5/comments", "/repos/ops/fleet/issues/comments/"),
            Kind::GitLab => ("/api/v4/projects/7/merge_requests/5/notes", "/api/v4/projects/7/merge_requests/5/notes/"),
        }
    }
}

#[derive(Default)]
struct State {
    /// Author, and each body that it had.
    comments: Vec<(String, Vec<String>)>,
    methods: Vec<String>,
    refuses_writes: bool,
}

/// Answers until the test ends.
pub(crate) struct Forge {
    kind: Kind,
    address: String,
    state: Arc<Mutex<State>>,
}

impl Forge {
    pub(crate) fn start(kind: Kind) -> Forge {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), kind, &shared);
            }
        });
        Forge { kind, address, state }
    }

    /// What a job knows of the forge.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("MUSTER_COMMENT_TOKEN", TOKEN.to_owned())];
        let root = format!("http://{}", self.address);
        if self.kind == Kind::GitLab {
            variables.extend([
                ("GITLAB_CI", "true".to_owned()),
                ("CI_API_V4_URL", format!("{root}/api/v4")),
                ("CI_PROJECT_ID", "7".to_owned()),
                ("CI_MERGE_REQUEST_IID", "5".to_owned()),
            ]);
            return variables;
        }
        let api = if self.kind == Kind::GitHub { root } else { format!("{root}/api/v1") };
        variables.extend([
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", api),
            ("GITHUB_REPOSITORY", "ops/fleet".to_owned()),
            ("MUSTER_PULL_REQUEST", "5".to_owned()),
        ]);
        let markers: &[&'static str] = match self.kind {
            Kind::Gitea => &["GITEA_ACTIONS"],
            Kind::Forgejo => &["GITEA_ACTIONS", "FORGEJO_ACTIONS"],
            Kind::GitHub | Kind::GitLab => &[],
        };
        variables.extend(markers.iter().map(|marker| (*marker, "true".to_owned())));
        variables
    }

    pub(crate) fn say(&self, author: &str, text: &str) {
        self.state.lock().unwrap().comments.push((author.to_owned(), vec![text.to_owned()]));
    }

    /// Authors and what stands there now, oldest first.
    pub(crate) fn comments(&self) -> Vec<(String, String)> {
        let state = self.state.lock().unwrap();
        state.comments.iter().map(|(author, bodies)| (author.clone(), bodies.last().unwrap().clone())).collect()
    }

    pub(crate) fn first_body_of(&self, index: usize) -> String {
        self.state.lock().unwrap().comments[index].1[0].clone()
    }

    pub(crate) fn count_requests(&self, method: &str) -> usize {
        self.state.lock().unwrap().methods.iter().filter(|found| *found == method).count()
    }

    /// As for the token of a pull request of a fork.
    pub(crate) fn refuse_writes(&self) {
        self.state.lock().unwrap().refuses_writes = true;
    }
}

fn serve(mut stream: TcpStream, kind: Kind, state: &Mutex<State>) {
    use std::io::Write;
    let Some(request) = Request::read(&mut stream) else { return };
    let (status, body) = answer(&request, kind, &mut state.lock().unwrap());
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
}

fn answer(request: &Request, kind: Kind, state: &mut State) -> (u16, Value) {
    state.methods.push(request.method.clone());
    let (name, value) = match kind {
        Kind::GitLab => ("private-token", TOKEN.to_owned()),
        _ => ("authorization", format!("token {TOKEN}")),
    };
    if request.headers.get(name) != Some(&value) {
        return (401, json!({"message": "Unauthorized"}));
    }
    let (list, one) = kind.paths();
    let is_write = request.method != "GET";
    if is_write && state.refuses_writes {
        return (403, json!({"message": "Resource not accessible by integration"}));
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v4/user") if kind == Kind::GitLab => (200, json!({"id": 9, "username": kind.own_name()})),
        ("GET", path) if path == list => (200, page(request, kind, state)),
        ("POST", path) if path == list => match body_of(request, kind) {
            Ok(body) => {
                state.comments.push((kind.own_name().to_owned(), vec![body]));
                (201, told(kind, state, state.comments.len() - 1))
            }
            Err(refused) => refused,
        },
        (method, path) if method == kind.edit() && path.starts_with(one) => {
            let index = path[one.len()..].parse::<usize>().ok().and_then(|id| id.checked_sub(1000));
            let Some(index) = index.filter(|index| *index < state.comments.len()) else {
                return (404, json!({"message": "Not Found"}));
            };
            match body_of(request, kind) {
                // Who may write to the repository may edit what others say, on all of them.
                Ok(body) => {
                    state.comments[index].1.push(body);
                    (200, told(kind, state, index))
                }
                Err(refused) => refused,
            }
        }
        _ => (404, json!({"message": "Not Found"})),
    }
}

fn page(request: &Request, kind: Kind, state: &State) -> Value {
    let mut all: Vec<Value> = (0..state.comments.len()).map(|index| told(kind, state, index)).collect();
    let usual = match kind {
        Kind::Gitea | Kind::Forgejo => return Value::Array(all),
        Kind::GitHub => 30,
        Kind::GitLab => {
            all.reverse();
            20
        }
    };
    let size = request.number("per_page", usual).min(100);
    let from = size * (request.number("page", 1).max(1) - 1);
    all.into_iter().skip(from).take(size).collect()
}

fn told(kind: Kind, state: &State, index: usize) -> Value {
    let (author, bodies) = &state.comments[index];
    let (id, body) = (1000 + index, bodies.last());
    match kind {
        Kind::GitLab => json!({"id": id, "body": body, "author": {"id": 3, "username": author}, "system": false}),
        _ => json!({"id": id, "body": body, "user": {"id": 3, "login": author}}),
    }
}

fn body_of(request: &Request, kind: Kind) -> Result<String, (u16, Value)> {
    let invalid = (422, json!({"message": "Validation Failed"}));
    let is_json = request.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| invalid.clone())?;
    let text = body["body"].as_str().filter(|text| is_json && !text.is_empty()).ok_or(invalid.clone())?;
    let longest = match kind {
        Kind::GitHub => 65_536,
        Kind::GitLab => 1_000_000,
        Kind::Gitea | Kind::Forgejo => usize::MAX,
    };
    if text.chars().count() > longest { Err(invalid) } else { Ok(text.to_owned()) }
}
