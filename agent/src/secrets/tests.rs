#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::*;
use muster_schema::secret::Encode;
use serde_json::json;

struct Here {
    dir: tempfile::TempDir,
    secrets: Secrets,
    blobs: Vault,
}

impl Here {
    fn new() -> Here {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(HostKeys::load_or_make(&dir.path().join("keys")).unwrap());
        let blobs = Vault::open(&dir.path().join("blobs")).unwrap();
        Here { dir, secrets: Secrets::new(keys), blobs }
    }

    fn encrypted(&self, plaintext: &[u8]) -> Vec<u8> {
        let recipient: age::x25519::Recipient = self.secrets.keys.recipient().parse().unwrap();
        age::encrypt(&recipient, plaintext).unwrap()
    }

    /// A file whose content is `a`, the secret, `z`.
    fn resource(&self, ciphertext: &[u8], encode: Option<Encode>) -> Resource {
        let blob = |bytes: &[u8]| self.blobs.keep_bytes(bytes).unwrap();
        let secret = json!({"name": "db", "encode": encode, "ciphertext": blob(ciphertext)});
        let segments = json!([{"literal": blob(b"a")}, {"secret": secret}, {"literal": blob(b"z")}]);
        let attributes = json!({"content": {"segments": segments}});
        serde_json::from_value(json!({"address": "files/etc/app", "attributes": attributes})).unwrap()
    }

    fn filled(&self, ciphertext: &[u8], encode: Option<Encode>) -> Result<Vec<u8>, Reject> {
        let mut resources = [self.resource(ciphertext, encode)];
        self.secrets.fill(&mut resources, &self.blobs)?;
        let digest = resources[0].filled_contents().next().unwrap();
        let mut bytes = Vec::new();
        self.secrets.open(&digest).unwrap().read_to_end(&mut bytes).unwrap();
        Ok(bytes)
    }
}

#[test]
fn secrets_are_written_as_their_place_asks() {
    let here = Here::new();
    let secret = "p w'\"\n/é";
    let table = [
        (None, "ap w'\"\n/éz"),
        (Some(Encode::Url), "ap%20w%27%22%0A%2F%C3%A9z"),
        (Some(Encode::Base64), "acCB3JyIKL8Opz".trim_end_matches('z')),
        (Some(Encode::Shell), "a'p w'\\''\"\n/é'z"),
        (Some(Encode::Json), "a\"p w'\\\"\\n/é\"z"),
    ];
    for (encode, expected) in table {
        let filled = here.filled(&here.encrypted(secret.as_bytes()), encode).unwrap();
        let filled = String::from_utf8(filled).unwrap();
        match encode {
            Some(Encode::Base64) => {
                let inner = filled.strip_prefix('a').and_then(|text| text.strip_suffix('z')).unwrap();
                use base64::Engine as _;
                let decoded = base64::engine::general_purpose::STANDARD.decode(inner).unwrap();
                assert_eq!(decoded, secret.as_bytes());
            }
            _ => assert_eq!(filled, expected, "{encode:?}"),
        }
    }
}

#[test]
fn a_shell_reads_the_word_back() {
    let here = Here::new();
    for secret in ["", "'", "''a'", "$(id) `id` \\ \" ! # ~\nx"] {
        let filled = here.filled(&here.encrypted(secret.as_bytes()), Some(Encode::Shell)).unwrap();
        let word = String::from_utf8(filled).unwrap();
        let script = format!("printf %s {}", &word[1..word.len() - 1]);
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), secret);
    }
}

#[test]
fn what_cannot_be_read_or_written_is_refused_by_a_stable_code() {
    let here = Here::new();
    let good = here.encrypted(b"hunter2");
    let other = age::x25519::Identity::generate();
    let text = String::from_utf8_lossy(&good).into_owned();
    let header_end = text.find("\n---").unwrap();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let with_stanza = |stanza: &str| {
        let mut file = good[..=header_end].to_vec();
        file.extend_from_slice(format!("-> {stanza}\nYWJj\n").as_bytes());
        file.extend_from_slice(&good[header_end + 1..]);
        file
    };
    let table = [
        (age::encrypt(&other.to_public(), b"hunter2").unwrap(), None, RejectCode::SecretForOthers),
        (good[..good.len() - 3].to_vec(), None, RejectCode::SecretMalformed),
        (good[..header_end].to_vec(), None, RejectCode::SecretMalformed),
        (damaged, None, RejectCode::SecretMalformed),
        (with_stanza("scrypt c2FsdA 30"), None, RejectCode::SecretMalformed),
        (with_stanza("yubikey abc"), None, RejectCode::SecretMalformed),
        (b"hunter2".to_vec(), None, RejectCode::SecretMalformed),
        (here.encrypted(&vec![b'x'; MAX_SECRET_BYTES + 1]), None, RejectCode::SecretMalformed),
        (here.encrypted(&[0xff]), Some(Encode::Json), RejectCode::SecretEncoding),
        (here.encrypted(b"a\0b"), Some(Encode::Shell), RejectCode::SecretEncoding),
    ];
    for (ciphertext, encode, code) in table {
        let reject = here.filled(&ciphertext, encode).unwrap_err();
        assert_eq!(reject.code, code, "{reject}");
        assert!(reject.message.contains("files/etc/app") && reject.message.contains("db"), "{reject}");
        assert!(!reject.message.contains("hunter2"), "{reject}");
    }
    assert_eq!(here.filled(&good, None).unwrap(), b"ahunter2z");
}

#[test]
fn another_ciphertext_of_the_same_secret_is_the_same_content() {
    let here = Here::new();
    let digest = |ciphertext: &[u8]| {
        let mut resources = [here.resource(ciphertext, None)];
        here.secrets.fill(&mut resources, &here.blobs).unwrap();
        resources[0].filled_contents().next().unwrap()
    };
    let first = here.encrypted(b"hunter2");
    let second = here.encrypted(b"hunter2");
    assert_ne!(first, second);
    assert_eq!(digest(&first), digest(&second));
    assert_ne!(digest(&first), digest(&here.encrypted(b"hunter3")));
    let plain = BlobRef::of(b"ahunter2z");
    assert_ne!(digest(&first), plain.sha256, "the digest is keyed");
    assert_ne!(digest(&first), Here::new().secrets.digest(&plain), "each host has a key of its own");
}

#[test]
fn what_is_kept_can_be_read_by_this_host_alone_and_is_forgotten_from_memory() {
    let here = Here::new();
    let sealed = here.secrets.seal(b"hunter2").unwrap();
    assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    let mut bytes = Vec::new();
    here.secrets.unseal(&sealed).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"hunter2");
    assert!(Here::new().secrets.unseal(&sealed).is_err());

    let mut resources = [here.resource(&here.encrypted(b"hunter2"), None)];
    here.secrets.keep_only(&mut resources, &here.blobs);
    let digest = resources[0].filled_contents().next().unwrap();
    assert!(here.secrets.open(&digest).is_some());
    here.secrets.keep_only(&mut [], &here.blobs);
    assert!(here.secrets.open(&digest).is_none());
    drop(here.dir);
}
