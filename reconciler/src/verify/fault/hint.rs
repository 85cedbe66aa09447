//! What the author of a refused commit can do.

use std::borrow::Cow;

use muster_schema::document::Verb;

use super::CommitFault;

impl CommitFault {
    /// What the author can do about it.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        if let Self::NotAllowed { who, verb, path, .. } = self {
            return Some(Cow::Owned(needed_rule(who, *verb, path)));
        }
        self.fixed_hint().map(Cow::Borrowed)
    }

    fn fixed_hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotDescendant { .. } => {
                "a force push or another history is never followed: put the branch back on the last verified commit and commit on top of it"
            }
            Self::Unsigned { merge: true } => {
                "merge on your own machine, `muster change merge BRANCH` or `git merge --no-ff -S`, or list the Git host's key as a `forge` of policy/access.yaml and let it make merge commits only"
            }
            Self::Unsigned { merge: false } => {
                "set `gpg.format ssh`, `user.signingKey` and `commit.gpgSign true`, then `git commit --amend -S`; squash and rebase merges made by a Git host carry no signer's signature"
            }
            Self::WeakDigest { .. } => "remove `digest-algo` from gpg.conf: gpg's own choice counts",
            Self::UnknownOpenPgpKey { .. } => {
                "a listed signer adds the certificate (`gpg --armor --export KEY`) as policy/openpgp/<principal>.asc first, or the newer one where it has a new subkey"
            }
            Self::OpenPgpKeyExpired { .. } => {
                "validity is judged when the commit arrives, not by its date; put the expiry off (`gpg --quick-set-expire`), and a listed signer replaces policy/openpgp/<principal>.asc"
            }
            Self::OpenPgpKeyRevoked { .. } => "a listed signer puts a new certificate into policy/openpgp/",
            Self::OpenPgpSignatureTime { .. } => "look at the clock of the machine that signed",
            Self::ForeignHeader { .. } => {
                "commit with plain git; tools that add headers can be told not to (jj: `git.write-change-id-header = false`)"
            }
            Self::WrongNamespace { .. } => "sign with `git commit -S`, not `ssh-keygen -Y sign`",
            Self::UnknownSigner { .. } => {
                "a listed signer adds the key to policy/allowed_signers first, in a commit of their own on the branch itself"
            }
            Self::SignerNotValidNow { .. } => {
                "validity is judged when the commit arrives, not by its date; a listed signer extends or replaces the key"
            }
            Self::NoTouch { .. } => "make the key without `-O no-touch-required`",
            Self::ForgeNotCleanMerge { .. } => {
                "let the forge make merge commits only (turn off squash, rebase and commits on its pages), or merge on your own machine: `muster change merge BRANCH`"
            }
            Self::ForgeMergeNotAllowed { .. } => {
                "somebody who may merge it runs `muster change approve BRANCH`, and the push is then looked at again, or merges it: `muster change merge BRANCH`"
            }
            Self::ApprovalsMissing { merged: None, .. } => {
                "make the change on a branch of its own; others approve it with `muster change approve BRANCH`, and then it is merged"
            }
            Self::ApprovalsMissing { .. } => {
                "others who may approve the path run `muster change approve BRANCH` with keys that policy/allowed_signers lists for muster-approval; the push is then looked at again"
            }
            Self::EffectNotAllowed { .. } => {
                "`muster policy test --commit COMMIT` lists all of it; somebody with the right to it makes the change, or it is put into a commit of its own beside what changes other hosts"
            }
            Self::EffectUnknown { .. } => {
                "`muster validate` lists the faults; commit the change once the fleet renders, or have somebody without bounds make it"
            }
            Self::Policy(fault) => return fault.hint(),
            Self::Submodule { .. } => "put the files into the repository itself",
            Self::LinkLeavesTree { .. } => "a link's target is relative and stays in the repository",
            _ => return None,
        })
    }
}

/// The rule that would allow it, and whose commit can bring that rule.
fn needed_rule(who: &str, verb: Verb, path: &str) -> String {
    let first = who.split(',').next().unwrap_or_default();
    let paths = match path.rsplit_once('/') {
        Some((folder, _)) => format!(", paths: [\"{folder}/**\"]"),
        None if path.is_empty() => String::new(),
        None => format!(", paths: [\"{path}\"]"),
    };
    format!(
        "somebody who may do it signs it, or a rule of policy/access.yaml grants it first, in a commit before: `- {{who: [\"{first}\"], may: [{verb}]{paths}}}`"
    )
}
