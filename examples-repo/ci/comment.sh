#!/bin/sh
# comment.sh FILE: makes FILE the one comment on this pull request that begins with the first line of FILE.
#
# Runs in a job of Gitea, Forgejo, GitHub or GitLab, and knows by their variables where it is. MUSTER_COMMENT_TOKEN is
# the token; MUSTER_COMMENT_AUTHOR is the name under which it comments, where that is not the forge's own.
# Exit codes: 0 done, 3 the token may not, 2 anything else.
set -eu

file=$1
marker=$(head -n 1 "$file")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "comment.sh: $1" >&2
    exit "${2:-2}"
}

case $marker in
'<!-- muster plan'*) ;;
*) fail "$file does not begin with the marker of a plan" ;;
esac
# A fork's job has none.
[ -n "${MUSTER_COMMENT_TOKEN:-}" ] || fail "there is no token" 3

# call METHOD URL [BODY]: prints the status; the answer is in $work/answer. The token is in no command line.
call() {
    set -- "$1" "$2" ${3:+--data-binary "@$3"}
    method=$1 url=$2
    shift 2
    printf 'header = "%s"\n' "$header" "Content-Type: application/json" |
        curl -sS -K - -X "$method" "$@" -o "$work/answer" -w '%{http_code}' "$url" || fail "$method $url failed"
}

# expect STATUS WANTED WHAT: ends unless it is what was wanted.
expect() {
    case $1 in
    "$2") ;;
    403) fail "$3 was refused ($1)" 3 ;;
    *) fail "$3 was answered with $1: $(head -c 300 "$work/answer")" ;;
    esac
}

if [ "${GITLAB_CI:-}" = true ]; then
    header="PRIVATE-TOKEN: $MUSTER_COMMENT_TOKEN"
    list="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
    one=$list
    edit=PUT
    author=${MUSTER_COMMENT_AUTHOR:-}
    if [ -z "$author" ]; then
        expect "$(call GET "$CI_API_V4_URL/user")" 200 "the question whose token it is"
        author=$(jq -r .username "$work/answer")
    fi
else
    header="Authorization: token $MUSTER_COMMENT_TOKEN"
    issues="$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues"
    list="$issues/$MUSTER_PULL_REQUEST/comments"
    one="$issues/comments"
    edit=PATCH
    if [ "${FORGEJO_ACTIONS:-}" = true ]; then
        author=forgejo-actions
    elif [ "${GITEA_ACTIONS:-}" = true ]; then
        author=gitea-actions
    else
        author='github-actions[bot]'
    fi
    author=${MUSTER_COMMENT_AUTHOR:-$author}
fi

# Only a comment of our own: somebody else could write the marker first, and change the plan under their name.
own=''
page=1
while [ -z "$own" ]; do
    expect "$(call GET "$list?per_page=100&page=$page")" 200 "the list of comments"
    # shellcheck disable=SC2016
    own=$(jq -r --arg marker "$marker" --arg author "$author" '
        [.[] | select((.user.login // .author.username) == $author)
             | select((.body | split("\n")[0] // "" | rtrimstr("\r")) == $marker) | .id]
        | first // empty' "$work/answer")
    # Gitea and Forgejo know no pages here, and answer with all.
    [ "$(jq length "$work/answer")" -eq 100 ] && [ "${GITEA_ACTIONS:-}${FORGEJO_ACTIONS:-}" = '' ] || break
    page=$((page + 1))
done

jq -Rs '{body: .}' <"$file" >"$work/body"
if [ -n "$own" ]; then
    expect "$(call "$edit" "$one/$own" "$work/body")" 200 "the change of the comment"
else
    expect "$(call POST "$list" "$work/body")" 201 "the comment"
fi
