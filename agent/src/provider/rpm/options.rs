//! What the managers over rpm cannot do.

use crate::provider::package::PackageOptions;

/// What they lack of the options, as the rest of a sentence that begins with the manager's name.
pub(in crate::provider) fn lacks(options: &PackageOptions) -> Option<&'static str> {
    if options.replace_conffiles {
        return Some("cannot replace configuration files that were changed: rpm keeps them (conffiles: replace)");
    }
    options.release.is_some().then_some("has no releases to choose from (release)")
}
