#!/bin/sh
# What this change does to the fleet, as one comment of its pull request.
# Needs muster, git, curl and jq. Writes plan.md, the comment, and plan-full.md, all of it.
set -u

target=${GITHUB_BASE_REF:-${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-main}}
# Where the job did not fetch them already. The facts of the hosts are on the branch status.
for branch in "$target" status; do
    git fetch -q origin "+refs/heads/$branch:refs/remotes/origin/$branch" 2>/dev/null
done
base=$(git merge-base "origin/$target" HEAD) || {
    echo "there is no common commit of origin/$target and this branch; fetch all of the history" >&2
    exit 2
}

muster validate .
muster plan --base "$base" --format markdown --full plan-full.md >plan.md
planned=$?
if [ ! -s plan.md ]; then
    echo "muster plan wrote nothing" >&2
    exit 2
fi

sh "$(dirname "$0")/comment.sh" plan.md
case $? in
0) ;;
3) echo "the token may not comment, as is so for pull requests of forks; the plan is with this run" >&2 ;;
*) exit 2 ;;
esac
# 1 says that something changes, which is what a pull request is for.
[ "$planned" -le 1 ] || exit "$planned"
