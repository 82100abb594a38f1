#!/bin/sh
# Checks a bundle of lineage with sh, coreutils, unzip, git, ssh-keygen and openssl
# alone. It believes nothing of the bundle, and neither runs nor asks anything else.
# docs/bundle.md says what each check proves; findings have its names.
#
# Each check is a statement of its own: `a && b` under `set -e` swallows failures. And
# each is counted: one that did not run is a finding, too.

set -u
LC_ALL=C TZ=UTC0
export LC_ALL TZ
umask 077

MOST=65535 # files
TAB=$(printf '\t')
LINE='
'
NAME='[A-Za-z0-9_-][A-Za-z0-9._-]*'
ID='[0-9a-f]{64}'
OID='[0-9a-f]{40}'
KNOWN='^((bagit|bag-info|(tag)?manifest-sha256)\.txt|tagmanifest-sha256\.txt\.sig|VERIFY\.md|verify\.sh|data/(registry\.bundle|report\.(html|json)|missing\.txt|(log|commits|payload|timestamps|formats)/.*))$'
TEXT='"([^"\\]|\\.)*"'
# of canonical JSON (RFC 8785): a text, in UTF-8, and a number, but for its digits
MORE='[\200-\277]'
UTF8=$(printf "[\302-\337]$MORE|\340[\240-\277]$MORE|([\341-\354]|\356|\357)$MORE$MORE|\355[\200-\237]$MORE|\360[\220-\277]$MORE$MORE|[\361-\363]$MORE$MORE$MORE|\364[\200-\217]$MORE$MORE")
WRITTEN="\"([^\"\\$(printf '\001-\037\200-\377')]|$UTF8|\\\\[\"\\bfnrt]|\\\\u00(0[0-7be-f]|1[0-9a-f]))*\""
FILE="\\{\"md5\":\"[0-9a-f]{32}\",\"mode\":\"100(644|755)\",\"path\":$WRITTEN,\"sha256\":\"$ID\",\"size\":(0|[1-9][0-9]*)\\}"
EMPTY="\\{\"mode\":\"040000\",\"path\":$WRITTEN\\}" # a folder
NUMBER='0|-?(0|[1-9][0-9]*)\.[0-9]*[1-9]|-?[1-9][0-9]*|-?[1-9](\.[0-9]*[1-9])?e[-+][1-9][0-9]*'
ABOVE=$(printf '[\356-\377]') # how characters from U+E000 on begin
REF="\\{\"after\":(null|\"$ID\"),\"before\":(null|\"$ID\"),\"ref\":$TEXT\\}"
END="(,\"prev\":\\[\"$ID\"(,\"$ID\")*\\])?(,\"refs\":\\[$REF(,$REF)*\\])?,\"schema\":\"lineage/1\"(,\"subject\":\"$ID\")?,\"time\":\"[0-9T:.-]+Z\",\"type\":\"[^\"\\]+\"\\}\$"
PAIR="\\{\"git\":\"$OID\",\"id\":\"$ID\"\\}"
ACTOR="^\\{\"actor\":\\{\"email\":$TEXT,\"name\":$TEXT\\}"
START="$ACTOR,\"commits\":\\[$PAIR(,$PAIR)*\\]"
TOKEN="^@[^ ]+|$TEXT|[-+.0-9Ee]+|true|false|null|[][{}:,]"

usage() {
    cat <<'END_OF_USAGE'
usage: sh verify.sh FILE.zip|FOLDER [--signers FILE] [--revoked FILE] [--since EVENT]
                    [--tsa-ca FILE] [--anchor FINGERPRINT] [--entries N]

  --signers FILE        who may sign: an allowed_signers file that you had from them
                        by another road than the bundle
  --revoked FILE        public keys that you do not trust any more
  --since EVENT         an event that you saw before (its 64 digits)
  --tsa-ca FILE         certificate of the time stamping authority (PEM)
  --anchor FINGERPRINT  the key that trust in the log starts from (SHA256:...)
  --entries N           take a bundle of more than 65535 files

exit: 0 nothing was found, 3 something was, 2 it could not begin
END_OF_USAGE
}

stop() { # MESSAGE: this cannot even begin
    printf 'error: %s\n' "$1" >&2
    exit 2
}

# --- what is asked

BUNDLE='' SIGNERS='' REVOKED='' SINCE='' TSA='' ANCHOR=''
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --signers | --revoked | --since | --tsa-ca | --anchor | --entries)
        [ $# -ge 2 ] || stop "$1 takes a value"
        case $1 in
        --signers) SIGNERS=$2 ;;
        --revoked) REVOKED=$2 ;;
        --since) SINCE=$2 ;;
        --tsa-ca) TSA=$2 ;;
        --anchor) ANCHOR=$2 ;;
        --entries) MOST=$2 ;;
        esac
        shift
        ;;
    -*) stop "there is no option $1" ;;
    *)
        [ -z "$BUNDLE" ] || stop 'one bundle at a time'
        BUNDLE=$1
        ;;
    esac
    shift
done
[ -n "$BUNDLE" ] || { usage >&2 && exit 2; }
[ -e "$BUNDLE" ] || stop "there is no $BUNDLE"
for file in "$SIGNERS" "$REVOKED" "$TSA"; do
    if [ -n "$file" ]; then [ -r "$file" ] || stop "$file cannot be read"; fi
done
case $MOST in '' | *[!0-9]* | ?????????*) stop '--entries takes a number' ;; esac
case $SINCE in '') ;; *[!0-9a-f]*) stop '--since takes the id of an event' ;; esac
[ -z "$SINCE" ] || [ ${#SINCE} = 64 ] || stop '--since takes all 64 digits'

for tool in base64 basename cat comm cut date df dirname du git head join ls mkdir mktemp nl \
    nproc openssl paste pwd rm sha256sum sort split ssh-keygen tail tr uniq unzip wc; do
    command -v "$tool" >/dev/null 2>&1 || stop "there is no $tool on this machine"
done

whole() { # FILE: its path from the root
    case $1 in
    '' | /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$PWD" "$1" ;;
    esac
}
CORES=$(nproc)
SIGNERS=$(whole "$SIGNERS") REVOKED=$(whole "$REVOKED") TSA=$(whole "$TSA")
BUNDLE=$(whole "$BUNDLE")

# --- a place of our own, where no settings of anybody reach

T=$(mktemp -d) || stop 'there is no place for temporary files'
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$T/home" "$T/w"
HOME=$T/home XDG_CONFIG_HOME=$T/home GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1 GIT_CEILING_DIRECTORIES=$T
GIT_ALLOW_PROTOCOL=file GIT_PAGER=cat GIT_OPTIONAL_LOCKS=0
export HOME XDG_CONFIG_HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_TERMINAL_PROMPT
export GIT_NO_REPLACE_OBJECTS GIT_CEILING_DIRECTORIES GIT_ALLOW_PROTOCOL GIT_PAGER
export GIT_OPTIONAL_LOCKS
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE \
    GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS \
    GIT_COMMON_DIR GIT_EXTERNAL_DIFF GIT_SHALLOW_FILE GIT_GRAFT_FILE GIT_EXEC_PATH \
    GIT_TRACE GIT_TRACE2 SSH_AUTH_SOCK SSH_ASKPASS UNZIP UNZIPOPT ZIPINFO ZIPINFOOPT \
    OPENSSL_CONF
W=w
cd "$T" || stop 'the place for temporary files is gone'
: >"$T/said"
: >"$T/findings"
: >"$T/ran"

fail() { # CHECK WHAT
    printf 'FAILED %s: %s\n' "$1" "$2"
    printf '%s\n' "$1" >>"$T/findings"
}

fail_each() { # CHECK BEFORE FILE AFTER: a finding for each line, the first ten told
    [ -s "$3" ] || return 0
    head -n 10 "$3" | tr -c '[:print:]\n' '?' >"$W/told" # terminals obey some bytes
    while IFS= read -r line; do fail "$1" "$2$line$4"; done <"$W/told"
    count=$(wc -l <"$3")
    [ "$count" -le 10 ] || fail "$1" "and $((count - 10)) more like the last"
}

ran() { # CHECK WHAT IT SAYS, if anything: it was gone through, whatever it found
    printf '%s\n' "$1" >>"$T/ran"
    if [ -n "$2" ] && clean "$1"; then printf 'ok     %s: %s\n' "$1" "$2"; fi
}

skipped() { printf 'NOT CHECKED %s: %s\n' "$1" "$2"; }

named() { # FILE CHECK: whether a line of it is that name
    while IFS= read -r got; do
        if [ "$got" = "$2" ]; then return 0; fi
    done <"$1"
    return 1
}

clean() { # CHECK: nothing was found by it
    if named "$T/findings" "$1"; then return 1; fi
}

finish() {
    for check in archive bag signature git log event chain unsigned signer role commit \
        edge files payload report since timestamp; do
        if [ "$1" = early ] || named "$T/ran" "$check"; then continue; fi
        fail "$check" 'was not gone through'
    done
    if [ -s "$T/broken" ]; then
        fail archive "a search could not be made: $(tail -n 1 "$T/broken" | tr -cd '[:print:]')"
    fi
    count=$(wc -l <"$T/findings")
    if [ "$count" -gt 0 ]; then
        if [ "$count" -eq 1 ]; then found='1 finding'; else found="$((count)) findings"; fi
        printf '%s\n' "$found: do not rely on this bundle"
        exit 3
    fi
    printf '%s\n' 'nothing was found'
    exit 0
}

end_early() { # nothing further can be looked at
    printf '%s\n' 'the other checks were not made: there is nothing to make them on'
    finish early
}

only_in_first() { comm -23 "$1" "$2"; } # FILE FILE: sorted

# git grep takes the place of grep, which is not on the list of tools. Its paths are
# relative: outside of a repository it knows no others. Eight threads for one file, as it
# has them by itself, take longer to start than most files to read.

scan() { # ERE FILE...: every match of it, each on a line
    pattern=$1
    shift
    git grep --threads 1 --no-index -a -h -o -E -e "$pattern" -- "$@" 2>>"$T/said" || lost $?
}

lines() { # ERE FILE: the lines that match it
    git grep --threads 1 --no-index -a -h -E -e "$1" -- "$2" 2>>"$T/said" || lost $?
}

others() { # ERE FILE: the lines that do not
    git grep --threads 1 --no-index -a -h -v -E -e "$1" -- "$2" 2>>"$T/said" || lost $?
}

lost() { # STATUS: 1 is "no line"; a search that failed must not look like one
    if [ "$1" -ne 1 ]; then tail -n 1 "$T/said" >>"$T/broken"; fi
    return "$1"
}

# --- archive: what is in the zip file, before anything of it is written

check_names() { # FILE of names
    if [ -n "$(tr -d 'A-Za-z0-9._/\n-' <"$1" | head -c 1)" ]; then
        fail archive 'a name has characters that no file of a bundle has'
    fi
    sort "$1" | uniq -d >"$W/twice"
    fail_each archive '' "$W/twice" ' is there more than once'
    if [ -n "$(others "^$NAME(/$NAME)*\$" "$1" | head -n 1)" ]; then
        fail archive 'a name is absolute, a folder, hidden, or leads elsewhere (..)'
    fi
    scan '^[^/]*/' "$1" | sort -u >"$W/tops"
    if [ "$(wc -l <"$W/tops")" -ne 1 ]; then fail archive 'it is not one folder'; fi
    if [ -z "$(lines '^lineage-[0-9a-f]{12}/$' $W/tops)" ]; then
        fail archive 'its folder is not called lineage- and 12 digits'
    fi
    return 0
}

check_sizes() { # sums column 4 of the listing into $total and $largest
    total=0 largest=0
    tr -s ' ' <"$W/listing" | cut -d ' ' -f 4 >"$W/sizes"
    while IFS= read -r size; do
        case $size in
        '' | *[!0-9]* | ????????????????*)
            fail archive 'a file has no size that can be'
            return 0
            ;;
        esac
        total=$((total + size))
        [ "$size" -le "$largest" ] || largest=$size
    done <"$W/sizes"
    packed=$(wc -c <"$BUNDLE")
    if [ "$total" -gt $((packed * 100 + 67108864)) ]; then
        fail archive "it would unpack to $total bytes from $packed, which no bundle does"
    fi
    room=$(df -P -B 1 "$T" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)
    if [ "$total" -gt "$room" ]; then
        fail archive "it would unpack to $total bytes, and there is room for $room"
    fi
}

unpack() {
    # head ends what is too long; no listing is read whole before it was counted
    unzip -Z1 -- "$BUNDLE" 2>"$W/said" </dev/null | head -n "$((MOST + 1))" >"$W/names"
    if [ ! -s "$W/names" ]; then
        fail archive 'it is no zip file that unzip can list'
        end_early
    fi
    if [ "$(wc -l <"$W/names")" -gt "$MOST" ]; then
        fail archive "it has more than $MOST files (--entries takes more)"
        end_early
    fi
    check_names "$W/names"
    clean archive || end_early
    unzip -Z -- "$BUNDLE" 'lineage-*' >"$W/listing" 2>"$W/said" </dev/null
    if [ "$(wc -l <"$W/listing")" -ne "$(wc -l <"$W/names")" ]; then
        fail archive 'its list of files is damaged'
    fi
    others '^[-?][rwxa-]+ +[0-9.]+ +[a-z0-9]+ +[0-9]+ [bt][lxX-] ' $W/listing >"$W/odd"
    if [ -s "$W/odd" ]; then
        fail archive 'it has links, folders, devices or encrypted files'
    fi
    check_sizes
    clean archive || end_early
    real=$(unzip -p -P x -- "$BUNDLE" 2>"$W/said" </dev/null | head -c "$((total + 1))" | wc -c)
    if [ "$real" -ne "$total" ]; then
        fail archive "its files are $total bytes long by the list, and $real or more by themselves"
        end_early
    fi
    mkdir "$T/bag"
    (
        ulimit -f "$((largest / 512 + 1))" 2>"$W/said"
        unzip -qq -P x -d "$T/bag" -- "$BUNDLE"
    ) >"$W/said" 2>&1 </dev/null
    status=$?
    if [ "$status" -ne 0 ]; then
        fail archive "unzip says: $(tail -n 1 "$W/said" | tr -cd '[:print:]')"
        end_early
    fi
    IFS= read -r top <"$W/tops"
    B=$T/bag/${top%/}
}

if [ -d "$BUNDLE" ]; then
    B=$BUNDLE
    if [ ! -e "$B/bagit.txt" ]; then
        for B in "$BUNDLE"/lineage-*; do :; done
    fi
    [ -e "$B/bagit.txt" ] || stop "$BUNDLE is no unpacked bundle: it has no bagit.txt"
    B=$(cd "$B" && pwd -P) || stop "$BUNDLE cannot be entered"
    GIT_CEILING_DIRECTORIES=$T:$(dirname "$B") # no repository around it has a say
    (cd "$B" && ls -lAR .) | cut -c 1 | sort -u | tr -d '\n' >"$W/types"
    case $(cat "$W/types") in
    *[!-.dt]*) fail archive 'it has links, devices or other things than files' ;;
    esac
    (cd "$B" && du -al .) | cut -f 2- >"$W/all"
    if [ -n "$(others "^\\.(/$NAME)*\$" $W/all | head -n 1)" ]; then
        fail archive 'a name has characters that no file of a bundle has, or is hidden'
    fi
    clean archive || end_early
    ran archive 'an unpacked folder of plain files'
else
    unpack
    ran archive "$(wc -l <"$W/names") plain files, $total bytes, each where it belongs"
fi

# --- bag: what is there is what is listed

in_bag() { (cd "$B" && "$@"); }

in_bag du -al . >"$W/du-all"
in_bag du -l . | cut -f 2- | sort >"$W/du-folders"
cut -f 2- "$W/du-all" | sort | comm -23 - "$W/du-folders" | cut -c 3- >"$W/have"
for file in bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt \
    data/registry.bundle data/log/events.txt data/report.json data/report.html; do
    [ -s "$B/$file" ] || fail bag "$file is missing or empty"
done
clean bag || end_early

listed() { # LIST WANTED: every file of WANTED has one line in LIST, and its SHA-256
    in_bag others "^$ID  $NAME(/$NAME)*\$" "$1" >"$W/odd"
    if [ -s "$W/odd" ]; then
        fail bag "$1 has lines that name no file"
        return 0
    fi
    cut -c 67- "$B/$1" | sort >"$W/named"
    uniq -d "$W/named" >"$W/twice"
    fail_each bag "$1 names " "$W/twice" ' more than once'
    only_in_first "$2" "$W/named" >"$W/odd"
    fail_each bag '' "$W/odd" " is not in $1"
    only_in_first "$W/named" "$2" >"$W/odd"
    fail_each bag '' "$W/odd" " is missing, and $1 lists it"
    in_bag sha256sum --quiet -c "$1" 2>>"$T/said" >"$W/wrong"
    status=$?
    scan '^[^:]*' "$W/wrong" >"$W/odd"
    fail_each bag '' "$W/odd" " does not have the SHA-256 that $1 lists"
    if [ "$status" -ne 0 ] && clean bag; then fail bag "$1 does not hold"; fi
    return 0
}

lines '^data/' $W/have >"$W/have-data"
others '^(data/|tagmanifest-sha256\.txt(\.sig)?$)' $W/have >"$W/have-tags"
others "$KNOWN" $W/have >"$W/odd"
fail_each bag '' "$W/odd" ' is no file that a bundle has'
listed manifest-sha256.txt "$W/have-data"
listed tagmanifest-sha256.txt "$W/have-tags"

info() { # NAME: its value in bag-info.txt
    while IFS= read -r line; do
        case $line in "$1: "*) printf '%s' "${line#*: }" ;; esac
    done <"$B/bag-info.txt"
}
cut -d : -f 1 "$B/bag-info.txt" | sort | uniq -d >"$W/twice"
fail_each bag 'bag-info.txt says ' "$W/twice" ' more than once'
NEWEST=$(info Lineage-Event) SUBJECT=$(info External-Identifier)
LEVEL=$(info Lineage-Payloads) SIGNED=$(info Lineage-Signature)
[ "$(info Lineage-Bundle)" = 1 ] || fail bag 'it is of a version that this does not know'
octets=0 count=0
in_bag du -al --apparent-size -B 1 data | sort -k 2 | join -1 2 -2 1 -o 1.1 - "$W/have-data" >"$W/sizes"
while IFS= read -r size; do octets=$((octets + size)) count=$((count + 1)); done <"$W/sizes"
if [ "$(info Payload-Oxum)" != "$octets.$count" ]; then
    fail bag "it has $octets bytes in $count files, and bag-info.txt says otherwise"
fi
ran bag "all $count files of data/ are listed with their SHA-256, and no others are there"

# --- git: what git itself makes of the history

g() { # git on the history, without hooks, settings or programs of anybody
    git --git-dir="$T/history" -c core.hooksPath=/dev/null -c core.fsmonitor=false \
        -c core.commitGraph=false -c log.mailmap=false -c log.showSignature=false \
        -c gpg.program=false -c gpg.x509.program=false -c gpg.ssh.program=ssh-keygen \
        -c gpg.ssh.allowedSignersFile="$T/w/signers" \
        -c gpg.ssh.revocationFile="$REVOKED" "$@"
}

: >"$W/signers"
if [ -n "$SIGNERS" ]; then cat "$SIGNERS" >"$W/signers"; fi
git init -q --bare --template= "$T/history" 2>>"$T/said" || stop 'git init fails'
git bundle list-heads "$B/data/registry.bundle" >"$W/refs" 2>>"$T/said"
others "^$OID refs/lineage/(events|(heads|tags|runs|spent|protected|attic)/[A-Za-z0-9_.@+=,!%-]+)\$" \
    $W/refs >"$W/odd"
if [ -s "$W/odd" ]; then
    fail git 'registry.bundle has refs that a registry has not'
    end_early
fi
if ! g -c fetch.fsckObjects=true -c transfer.fsckObjects=true fetch -q --no-tags \
    --no-write-fetch-head --no-auto-maintenance --no-recurse-submodules \
    "$B/data/registry.bundle" '+refs/lineage/*:refs/lineage/*' >"$W/out" 2>"$W/err"; then
    fail git "registry.bundle cannot be unpacked: $(tail -n 1 "$W/err" | tr -cd '[:print:]')"
    end_early
fi
if ! g fsck --strict --full --no-dangling --no-progress >"$W/out" 2>"$W/err"; then
    fail git "git fsck says: $(cat "$W/out" "$W/err" | head -n 1 | tr -cd '[:print:]')"
fi
if ! g rev-list --topo-order --reverse --parents refs/lineage/events >"$W/graph" 2>"$W/err"; then
    fail git 'registry.bundle has no whole refs/lineage/events'
    end_early
fi
ran git 'git unpacks the history, and git fsck --strict finds nothing'

# --- log: the list of events is the history, from its beginning

EVENTS=$B/data/log/events.txt
(cd "$B/data/log" && others "^$ID $OID\$" events.txt) >"$W/odd"
if [ -s "$W/odd" ]; then
    fail log 'events.txt has lines that name no event'
    end_early
fi
cut -d ' ' -f 2 "$EVENTS" | sort >"$W/oids"
cut -d ' ' -f 1 "$EVENTS" | sort >"$W/ids"
cut -d ' ' -f 1 "$W/graph" | sort >"$W/reached"
for list in oids ids; do
    uniq -d "$W/$list" >"$W/twice"
    fail_each log 'events.txt names ' "$W/twice" ' more than once'
done
only_in_first "$W/reached" "$W/oids" >"$W/odd"
fail_each log 'the event at git commit ' "$W/odd" ' is not in events.txt'
only_in_first "$W/oids" "$W/reached" >"$W/odd"
fail_each log 'events.txt names ' "$W/odd" ', which refs/lineage/events does not reach'

nl -b a -w 1 -s ' ' "$EVENTS" >"$W/numbered" # number id oid
sort -k 3,3 "$W/numbered" | join -1 3 -2 1 -o 1.3,1.1,1.2 - "$W/reached" >"$W/by-oid"
place=0
while IFS=' ' read -r child parents; do # an edge a line: child parent place
    place=0
    for parent in $parents; do
        printf '%s %s %s\n' "$child" "$parent" "$place"
        place=$((place + 1))
    done
done <"$W/graph" | sort -k 1,1 >"$W/parents"
join -1 1 -2 1 -o 1.1,1.2,1.3,2.2,2.3 "$W/parents" "$W/by-oid" | sort -k 2,2 |
    join -1 2 -2 1 -o 1.4,1.5,1.3,2.2,2.3,1.1,1.2 - "$W/by-oid" >"$W/links"
# of each link: number and id of the later one, place, number and id of the earlier one, oids
while IFS=' ' read -r number id place before rest; do
    [ "$before" -lt "$number" ] || printf '%s\n' "$id"
done <"$W/links" | sort -u >"$W/odd"
fail_each log 'events.txt has ' "$W/odd" ' before an event that it came after'
if [ "$(wc -l <"$W/links")" -ne "$(wc -l <"$W/parents")" ]; then
    fail log 'events.txt lacks events that others came after'
fi
tip=$(g rev-parse --verify -q refs/lineage/events)
if [ "$(tail -n 1 "$EVENTS")" != "$NEWEST $tip" ]; then
    fail log 'the newest event is not the one that bag-info.txt names'
fi
(cd "$B/data/log/events" && ls -A) | sort >"$W/files"
while IFS= read -r id; do printf '%s.json\n' "$id"; done <"$W/ids" | sort >"$W/wanted"
only_in_first "$W/wanted" "$W/files" >"$W/odd"
fail_each log 'log/events lacks ' "$W/odd" ''
only_in_first "$W/files" "$W/wanted" >"$W/odd"
fail_each log 'log/events has ' "$W/odd" ', which is not in the log'
ran log "$(wc -l <"$EVENTS") events, all that refs/lineage/events reaches, and no others"

# --- event: each is what it is called after, and what git holds

comm -12 "$W/wanted" "$W/files" | cut -c 1-64 >"$W/present"
sha_list() { # FOLDER NAME: lines for sha256sum -c, of the ids on stdin
    while IFS= read -r id; do printf '%s  %s\n' "$id" "$1$id$2"; done
}
hashes() { # CHECK WORDS: what sha256sum -c finds in the list sums
    [ -s "$W/sums" ] || return 0
    in_bag sha256sum --quiet -c - <"$W/sums" >"$W/wrong" 2>>"$T/said"
    status=$?
    scan '^[^:]*' $W/wrong >"$W/odd"
    fail_each "$1" '' "$W/odd" " $2"
    if [ "$status" -ne 0 ] && [ ! -s "$W/odd" ]; then fail "$1" 'sha256sum fails'; fi
}
sha_list data/log/events/ .json <"$W/present" >"$W/sums"
hashes event 'does not have the SHA-256 that it is called after'

blobs() { # of "oid:path name" lines on stdin: "name blob" for those that are there
    g cat-file --batch-check='%(objectname) %(objecttype) %(rest)' >"$W/checked" 2>>"$T/said"
    while IFS=' ' read -r blob type name; do
        if [ "$type" = blob ]; then printf '%s %s\n' "$name" "$blob"; fi
    done <"$W/checked" | sort
}
hashed() { # of paths in the bag on stdin: "path blob"
    cat >"$W/paths"
    in_bag git hash-object -t blob --no-filters --stdin-paths <"$W/paths" >"$W/hashes" 2>>"$T/said"
    paste -d ' ' "$W/paths" "$W/hashes" | sort
}
while IFS=' ' read -r id oid; do
    printf '%s:event.json data/log/events/%s.json\n' "$oid" "$id"
done <"$EVENTS" | blobs >"$W/in-git"
while IFS= read -r id; do printf 'data/log/events/%s.json\n' "$id"; done <"$W/present" |
    hashed >"$W/in-bag"
comm -3 "$W/in-git" "$W/in-bag" | tr -d '\t' | cut -c 17-80 | sort -u >"$W/odd"
fail_each event '' "$W/odd" ' is not the event.json of its git commit'

# What git says of each event: signature, fingerprint, seconds, the id in the message.
# It starts ssh-keygen twice for each, so this is done on all processors at once.
cut -d ' ' -f 2 "$EVENTS" >"$W/todo"
split -n "l/$CORES" -a 4 "$W/todo" "$W/part."
for part in "$W"/part.*; do
    g log --no-walk=unsorted --stdin \
        --format='%H|%G?|%GF|%ct|%(trailers:key=Lineage-Event,valueonly=true,separator=%x2C)' \
        <"$part" >"$W/said.${part##*.}" 2>>"$T/said" &
done
wait
cat "$W"/said.* | sort -t '|' -k 1,1 >"$W/signed"
while IFS='|' read -r oid _ _ _ told; do
    printf '%s %s\n' "$told" "$oid"
done <"$W/signed" | sort >"$W/told"
sort "$EVENTS" >"$W/wanted"
only_in_first "$W/wanted" "$W/told" | cut -c 1-64 >"$W/odd"
fail_each event '' "$W/odd" ' is not named by its git commit (Lineage-Event)'
# `read` asks the system for one byte at a time. So long files are cut into pieces, and
# the shell splits each piece into its lines.

pieces() { # FILE: cut it
    rm -f "$1".piece.*
    split -l 20000 -a 4 "$1" "$1.piece."
}

tokens() { # FILE: those of its JSON texts, in FILE.tokens; in FILE.odd what is not canonical
    scan "$TOKEN" "$1" >"$1.tokens"
    others "^(@$ID|$WRITTEN|$NUMBER|true|false|null|[][{},:])\$" "$1.tokens" | cut -c 1-60 >"$1.odd"
    if [ "$(tr -d '\n' <"$1" | wc -c)" -ne "$(tr -d '\n' <"$1.tokens" | wc -c)" ]; then
        printf 'something between values\n' >>"$1.odd"
    fi
}

odd() { printf 'odd %s%s\n' "$doc" "$path" >&4; }
name() { # $t is one more of this object, and $last the one before it
    case $told$t in
    names* | *\\* | *$ABOVE*) # these need not stand as their bytes sort
        case " $names" in *" $t "*) odd ;; esac
        names="$names$t "
        ;;
    *)
        [ "$last" \< "${t%\"}" ] || odd
        last=${t%\"}
        ;;
    esac
}
object() { # it ends here
    [ "$told" = sorted ] || printf '%s%s\n' "$names" "$path" >&4
    names=${outer%%"$TAB"*} outer=${outer#*"$TAB"}
    last=${outer%%"$TAB"*} outer=${outer#*"$TAB"}
}

parse() ( # FILE of tokens, each on a line: a line for each value. The name of its text,
    # keys and places between tabs, the value last. A path cannot be forged: keys keep
    # their quotes, and no tab stands in a JSON text. On 4, `odd` and the path for what is
    # no JSON, a name that comes twice or, if they are to be SORTED, not in its place.
    # If NAMES are asked for, a line for each object, too: its names, a tab, its path
    path='' stack='' want='' doc='' names='' outer='' last='' IFS=$LINE
    told=$2
    [ "$told" = sorted ] || want=v
    pieces "$1"
    for piece in "$1".piece.*; do
        [ -e "$piece" ] || continue
        set -f
        for t in $(cat "$piece"); do
            # k: a name; e: that or the end; :: a colon; v: a value; b: that or the end
            case $want$t in
            [ke]'"'* | :: | [vb][\"{[0-9tfn-]* | [,}] | ']' | 'e}' | 'b]' | @*) ;;
            *) odd ;;
            esac
            case $t in
            '"'*)
                case $want in
                [ke]) path=$path$TAB$t want=: && name ;;
                *) printf '%s%s\t%s\n' "$doc" "$path" "$t" && want='' ;;
                esac
                ;;
            ',')
                case $stack in
                o*) path=${path%"$TAB"*} want=k ;;
                a*)
                    place=${path##*"$TAB"}
                    path=${path%"$TAB"*}$TAB$((place + 1)) want=v
                    ;;
                *) odd ;;
                esac
                ;;
            ':') want=v ;;
            '{') stack=o$stack want=e outer=$names$TAB$last$TAB$outer names='' last='' ;;
            '[') stack=a$stack path=$path${TAB}0 want=b ;;
            '}')
                case $stack$want in
                o*e) printf '%s%s\t{}\n' "$doc" "$path" ;;
                o*) path=${path%"$TAB"*} ;;
                *) odd ;;
                esac
                object
                stack=${stack#?} want=''
                ;;
            ']')
                case $stack in a*) path=${path%"$TAB"*} ;; *) odd ;; esac
                case $stack$want in a*b) printf '%s%s\t[]\n' "$doc" "$path" ;; esac
                stack=${stack#?} want=''
                ;;
            '@'*)
                [ -z "$stack$want" ] || odd
                doc=${t#@} path='' stack='' want=v names='' outer='' last=''
                ;;
            *) printf '%s%s\t%s\n' "$doc" "$path" "$t" && want='' ;;
            esac
        done
    done
    [ -z "$stack$want" ] || odd
)

NOT_WRITTEN='not written as canonical JSON writes it: '
NOT_FORMED='no JSON, a name twice, or one in another place: '
read_all() { # CHECK FILE: all values of lines "oid:path name" on stdin, on all processors
    cat >"$W/list"
    rm -f "$W"/flat.*
    split -n "l/$CORES" -a 4 "$W/list" "$W/flat."
    for part in "$W"/flat.????; do
        [ -s "$part" ] || continue
        (
            g cat-file --batch='@%(rest)' <"$part" 2>>"$T/said" | tr '\000' '\001' >"$part.json"
            tokens "$part.json"
            [ "$(wc -l <"$part.json")" -eq $(($(wc -l <"$part") * 2)) ] ||
                printf 'several lines\n' >>"$part.json.odd"
            parse "$part.json.tokens" sorted >"$part.out" 4>"$part.formed"
        ) &
    done
    wait
    cat "$W"/flat.*.out >"$2" 2>>"$T/said"
    cat "$W"/flat.*.odd >"$W/odd" 2>>"$T/said"
    fail_each "$1" "$NOT_WRITTEN" "$W/odd" ''
    cat "$W"/flat.*.formed 2>>"$T/said" | cut -c 5- | tr '\t' ' ' >"$W/odd"
    fail_each "$1" "$NOT_FORMED" "$W/odd" ''
    cut -d ' ' -f 2 "$W/list" | sort >"$W/asked"
    cut -f 1 "$2" | sort -u | comm -13 - "$W/asked" >"$W/odd"
    fail_each "$1" '' "$W/odd" ' says nothing'
}
while IFS=' ' read -r id oid; do printf '%s:event.json %s\n' "$oid" "$id"; done <"$W/wanted" |
    read_all event "$W/said-all"
of_events() { join -t "$TAB" - "$W/said-all"; } # of ids on stdin: all that those events say
ran event 'each has the SHA-256 that it is called after, is what git holds, and canonical JSON'

# --- chain: each event names those before it by SHA-256

(cd "$B/data/log/events" &&
    git grep --no-index -a -o -E -e "$END" -- . 2>>"$T/said") >"$W/ends"
cut -c 1-64 "$W/ends" | sort >"$W/read"
only_in_first "$W/present" "$W/read" >"$W/odd"
fail_each chain 'the end of ' "$W/odd" ' is not that of an event'
uniq -d "$W/read" >"$W/odd"
fail_each chain '' "$W/odd" ' is more than one event'
cut -d ']' -f 1 "$W/ends" >"$W/heads"
while IFS= read -r line; do
    case $line in
    *'.json:,"prev":['*) printf '%s %s\n' "${line%%.json:*}" "${line#*'['}" ;;
    *) printf '%s \n' "${line%%.json:*}" ;;
    esac
done <"$W/heads" | sort >"$W/says"
sort -k 1,1n -k 3,3n "$W/links" >"$W/ordered"
(
    last=''
    while IFS=' ' read -r number id place before earlier rest; do
        if [ "$id" = "$last" ]; then
            printf ',"%s"' "$earlier"
        else
            [ -z "$last" ] || printf '\n'
            printf '%s "%s"' "$id" "$earlier"
        fi
        last=$id
    done <"$W/ordered"
    [ -z "$last" ] || printf '\n'
) >"$W/follows"
cut -c 1-64 "$W/follows" | sort -u | comm -13 - "$W/ids" >"$W/firsts"
while IFS= read -r id; do printf '%s \n' "$id"; done <"$W/firsts" | sort - "$W/follows" >"$W/should"
only_in_first "$W/should" "$W/says" | cut -c 1-64 >"$W/odd"
fail_each chain '' "$W/odd" ' does not name the events before it, as git has them'
if [ "$(wc -l <"$W/firsts")" -ne 1 ]; then fail chain 'the log has not one beginning'; fi
ran chain 'each names those before it by SHA-256, back to the first'

# --- who signed: unsigned, signer, role

# a table of all events: id, time, type
scan '^[0-9a-f]{64}|"time":"[^"]*","type":"[^"]*"\}$' $W/ends | paste -d '"' - - |
    cut -d '"' -f 1,5,9 --output-delimiter=' ' | sort >"$W/types"
(cd "$B/data/log/events" && git grep --no-index -a -o -E -e "$START" -- . 2>>"$T/said") >"$W/starts"
cut -c 1-64 "$W/starts" | sort >"$W/bringing"
join "$W/wanted" "$W/types" >"$W/events" # id oid time type, sorted by id
if [ "$(wc -l <"$W/events")" -ne "$(wc -l <"$EVENTS")" ]; then
    fail event 'not every event has a time and a type'
fi
lines ' key$' $W/events >"$W/key-events"
if [ "$(wc -l <"$W/key-events")" -gt 1000 ]; then
    fail signer 'more than 1000 events about keys are more than this can go through'
    : >"$W/key-events"
fi
cut -d ' ' -f 1 "$W/key-events" | of_events >"$W/key-facts"
{
    (
        now='' action='' key='' roles='' since=-
        told() {
            [ -z "$now" ] || printf '%s %s %s %s %s\n' "$now" "$action" "$key" "${roles:-,}" "$since"
        }
        while IFS="$TAB" read -r id name more rest value; do
            if [ "$id" != "$now" ]; then
                told
                now=$id action='' key='' roles='' since=-
            fi
            [ "$name" = '"data"' ] || continue
            case $more in
            '"action"') action=$rest ;;
            '"fingerprint"') key=${rest#?} && key=${key%?} ;;
            '"roles"') roles=$roles,$value, ;;
            '"since"') since=$rest ;;
            esac
        done <"$W/key-facts"
        told
    )
} | sort >"$W/changes" # id action fingerprint roles since
join -1 1 -2 1 "$W/changes" "$W/events" | cut -d ' ' -f 1-6 >"$W/changes-oid"
# id action fingerprint roles since oid, in the order of the log:
sort -k 2,2 "$W/numbered" | join -1 2 -2 1 -o 1.1,2.1,2.2,2.3,2.4,2.5,2.6 - "$W/changes-oid" |
    sort -n >"$W/changes-ordered"

root='' root_key=''
while IFS=' ' read -r number id action key roles since oid; do
    [ -z "$root" ] || continue
    [ "$action" = '"add"' ] || continue
    case $roles in *'"runner"'*) continue ;; *'"releaser"'*) ;; *) continue ;; esac
    [ -z "$ANCHOR" ] || [ "$key" = "$ANCHOR" ] || continue
    scan "^$oid\\|[GU]\\|[^|]*" $W/signed >"$W/one"
    IFS='|' read -r _ _ with <"$W/one" || continue
    if [ "$with" = "$key" ]; then root=$oid root_key=$key; fi
done <"$W/changes-ordered"

if [ -z "$root" ]; then
    if [ -n "$SIGNERS$ANCHOR" ]; then
        fail unsigned 'no event adds the first key: nobody signed this log'
    fi
    skipped unsigned 'the log has no keys, so nothing in it says who wrote it'
    printf '%s\n' unsigned signer role >>"$T/ran"
    : >"$W/judged"
else
    {
        printf '%s\n' "$root"
        g rev-list refs/lineage/events "^$root"
    } | sort >"$W/judged"
fi
sort -k 2,2 "$W/events" | join -1 2 -2 1 -o 1.2,1.1,1.3,1.4 - "$W/judged" >"$W/due" # oid id time type
sort "$W/signed" | tr '|' ' ' | cut -d ' ' -f 1-2 >"$W/state"
join -t ' ' "$W/due" "$W/state" >"$W/due-state" # oid id time type state
: >"$W/unsigned"
: >"$W/bad"
: >"$W/unlisted"
while IFS=' ' read -r oid id time type state; do
    case $state in
    G) ;;
    U) [ -z "$SIGNERS" ] || printf '%s\n' "$id" >>"$W/unlisted" ;;
    N)
        case $type in
        pull) printf '%s\n' "$id" >>"$W/pulls" ;;
        *) printf '%s\n' "$id" >>"$W/unsigned" ;;
        esac
        ;;
    *) printf '%s\n' "$id" >>"$W/bad" ;;
    esac
done <"$W/due-state"
if [ -e "$W/pulls" ]; then sort "$W/pulls" | comm -12 - "$W/bringing" >>"$W/unsigned"; fi
fail_each unsigned '' "$W/unsigned" ' is not signed'
fail_each signer '' "$W/bad" ' has a signature that does not hold, or of a revoked key'
fail_each signer '' "$W/unlisted" ' is signed with a key that your list does not have as valid at its time'
if [ -n "$root" ]; then
    ran unsigned "$(wc -l <"$W/due") events since the first key, and each is signed"
fi

# by the log itself: a key signs after it was added, and not after it was revoked
: >"$W/may"
: >"$W/may-not"
if [ -n "$root" ]; then printf '%s %s 0 %s\n' "$root" "$root_key" ',"releaser",' >"$W/may"; fi
while IFS=' ' read -r number id action key roles since oid; do
    [ -n "$root" ] || continue
    case $action in
    '"add"')
        g rev-list --ancestry-path "$oid..refs/lineage/events" >"$W/after"
        while IFS= read -r later; do
            printf '%s %s %s %s\n' "$later" "$key" "$number" "$roles"
        done <"$W/after" >>"$W/may"
        ;;
    '"revoke"')
        g rev-list refs/lineage/events "^$oid" >"$W/after"
        if [ "$since" != - ]; then
            g rev-list "$oid" | sort | join -1 1 -2 1 -o 1.1,1.3 "$W/due" - >"$W/earlier"
            since=${since#?}
            since=${since%?}
            while IFS=' ' read -r early time; do # later than `since`, as text
                printf '%s\n%s\n' "$since" "$time" >"$W/two"
                if sort -C "$W/two"; then printf '%s\n' "$early"; fi
            done <"$W/earlier" >>"$W/after"
        fi
        while IFS= read -r later; do
            printf '%s %s\n' "$later" "$key"
        done <"$W/after" >>"$W/may-not"
        ;;
    esac
done <"$W/changes-ordered"
cut -d '|' -f 1-3 "$W/signed" | tr '|' ' ' >"$W/with"
while IFS=' ' read -r oid state key; do
    [ -z "$key" ] || printf '%s %s\n' "$oid" "$key"
done <"$W/with" | join - "$W/judged" | sort >"$W/used" # oid fingerprint
cut -d ' ' -f 1-2 "$W/may" | sort -u >"$W/may-pairs"
only_in_first "$W/used" "$W/may-pairs" | join -o 2.2 - "$W/due" >"$W/odd"
fail_each signer '' "$W/odd" ' is signed with a key that nobody had added'
sort -u "$W/may-not" | comm -12 "$W/used" - | join -o 2.2 - "$W/due" >"$W/odd"
fail_each signer '' "$W/odd" ' is signed with a key that was revoked'

seconds() { # SECONDS: as ssh-keygen reads a time
    date -u -d "@$1" +%Y%m%d%H%M%S
}
holds_at() { # OID SECONDS: whether the event's signature is good by the list then
    sig=0
    : >"$W/a.sig"
    : >"$W/a.txt"
    g cat-file commit "$1" >"$W/raw" 2>>"$T/said"
    while IFS= read -r line; do
        case $sig$line in
        0'gpgsig '*) sig=1 && printf '%s\n' "${line#gpgsig }" >>"$W/a.sig" ;;
        1' '*) printf '%s\n' "${line# }" >>"$W/a.sig" ;;
        1*) sig=2 && printf '%s\n' "$line" >>"$W/a.txt" ;;
        *) printf '%s\n' "$line" >>"$W/a.txt" ;;
        esac
    done <"$W/raw"
    signed_by git "$W/a.sig" "$W/a.txt" "$2"
}
signed_by() { # NAMESPACE SIGNATURE FILE SECONDS: by somebody on the list, at that time
    ssh-keygen -Y find-principals -f "$W/signers" -s "$2" -O "verify-time=$(seconds "$4")" \
        >"$W/who" 2>>"$T/said"
    while IFS= read -r who; do
        if [ -n "$REVOKED" ]; then
            ssh-keygen -Y verify -f "$W/signers" -I "$who" -n "$1" -s "$2" -r "$REVOKED" \
                -O "verify-time=$(seconds "$4")" <"$3" >"$W/good" 2>>"$T/said" && return 0
        else
            ssh-keygen -Y verify -f "$W/signers" -I "$who" -n "$1" -s "$2" \
                -O "verify-time=$(seconds "$4")" <"$3" >"$W/good" 2>>"$T/said" && return 0
        fi
    done <"$W/who"
    return 1
}

# an event counts as no older than those right before it, whatever time it claims
cut -d '|' -f 1,4 "$W/signed" | tr '|' ' ' >"$W/times" # oid seconds
cut -d ' ' -f 6,7 "$W/links" | sort | join -1 1 -2 1 -o 1.2,1.1,2.2 - "$W/times" | sort |
    join -1 1 -2 1 -o 1.2,1.3,2.2 - "$W/times" | sort >"$W/clocks" # oid, its time, the other's
while IFS=' ' read -r oid own other; do
    [ "$own" -ge "$other" ] || printf '%s %s\n' "$oid" "$other"
done <"$W/clocks" | sort | join - "$W/used" | cut -d ' ' -f 1-2 >"$W/late"
: >"$W/odd"
if [ -n "$SIGNERS" ]; then
    while IFS=' ' read -r oid other; do
        holds_at "$oid" "$other" || printf '%s\n' "$oid" >>"$W/odd"
    done <"$W/late"
fi
sort -u "$W/odd" | join -o 2.2 - "$W/due" >"$W/dated"
fail_each signer '' "$W/dated" ' comes after an event that its key was not valid at any more'
if [ -n "$root" ]; then
    if [ -n "$SIGNERS" ]; then
        ran signer "each by a key of your list, valid at its time, added before and not revoked"
    else
        skipped signer 'whose keys these are: give --signers'
        ran signer 'each signature holds, by a key that was added before and not revoked'
    fi
    if [ -z "$ANCHOR" ]; then
        skipped signer "that trust in the log starts from the right key, $root_key: give --anchor"
    fi
fi

while IFS=' ' read -r oid id time type; do
    case $type in
    key | release) printf '%s %s %s\n' "$oid" "$id" '"releaser"' ;;
    label | review | statement | taint) printf '%s %s %s\n' "$oid" "$id" '"reviewer"' ;;
    esac
done <"$W/due" | join - "$W/used" >"$W/needs" # oid id role fingerprint
sort -k 1,1 -k 3,3n "$W/may" >"$W/may-sorted"
join "$W/needs" "$W/may-sorted" >"$W/roles" # oid id role fingerprint, fingerprint number roles
(
    now='' given='' needed=''
    told() {
        case $given in
        '' | *'"runner"'*) [ -z "$now" ] || printf '%s\n' "$now" ;;
        *"$needed"*) ;;
        *) printf '%s\n' "$now" ;;
        esac
    }
    while IFS=' ' read -r oid id need key other number roles; do
        if [ "$id" != "$now" ]; then
            told
            now=$id needed=$need given=''
        fi
        [ "$key" != "$other" ] || given=$roles # the newest that is before it
    done <"$W/roles"
    told
) >"$W/odd"
fail_each role '' "$W/odd" ' is signed by a key that has not the role for it'
if [ -n "$root" ]; then ran role 'reviews, releases, keys and statements by keys with the role for them'; fi

# --- signature: of the list that the whole bag hangs on

SIGNATURE=$B/tagmanifest-sha256.txt.sig
newest_time=''
while IFS=' ' read -r id oid time type; do
    [ "$id" != "$NEWEST" ] || newest_time=$time
done <"$W/events"
newest_seconds=$(date -u -d "${newest_time:-now}" +%s 2>>"$T/said") || newest_seconds=0
if [ "$SIGNED" = none ] && [ ! -e "$SIGNATURE" ]; then
    if [ -n "$SIGNERS" ]; then fail signature 'nobody signed this bundle, and it says so'; fi
    skipped signature 'nobody signed this bundle: who made it is not known'
elif [ ! -e "$SIGNATURE" ]; then
    fail signature 'bag-info.txt says that there is one, and it is not there'
elif [ "$SIGNED" != sshsig ]; then
    fail signature 'bag-info.txt says that there is none'
elif [ -n "$SIGNERS" ]; then
    if signed_by lineage-report "$SIGNATURE" "$B/tagmanifest-sha256.txt" "$newest_seconds"; then
        printf 'ok     signature: %s\n' "$(tr -cd '[:print:]' <"$W/good")"
    else
        fail signature 'it is not by anybody on your list, or does not hold'
    fi
elif ssh-keygen -Y check-novalidate -n lineage-report -s "$SIGNATURE" \
    <"$B/tagmanifest-sha256.txt" >"$W/good" 2>>"$T/said"; then
    skipped signature "whose key this is: give --signers. $(tr -cd '[:print:]' <"$W/good")"
else
    fail signature 'it does not hold'
fi
printf 'signature\n' >>"$T/ran"

# --- commit: each is what it is called after, and what git holds

scan '"git":"[0-9a-f]{40}","id":"[0-9a-f]{64}"' $W/starts | cut -d '"' -f 4,8 \
    --output-delimiter=' ' | sort -u >"$W/brought" # oid id
cut -d ' ' -f 2 "$W/brought" | sort >"$W/commits"
uniq -d "$W/commits" >"$W/odd"
fail_each commit '' "$W/odd" ' has two git commits'
(cd "$B/data/commits" && ls -A) | sort >"$W/folders"
only_in_first "$W/commits" "$W/folders" >"$W/odd"
fail_each commit '' "$W/odd" ' is missing'
only_in_first "$W/folders" "$W/commits" >"$W/odd"
fail_each commit '' "$W/odd" ' is in no event'
comm -12 "$W/folders" "$W/commits" >"$W/both"
sha_list data/commits/ /lineage.json <"$W/both" >"$W/sums"
hashes commit 'does not have the SHA-256 that its folder is called after'
for name in files.jsonl lineage.json metrics.json params.yaml; do
    while IFS=' ' read -r oid id; do
        printf '%s:%s data/commits/%s/%s\n' "$oid" "$name" "$id" "$name"
    done <"$W/brought"
done | blobs >"$W/in-git"
lines '^data/commits/' $W/have-data | hashed >"$W/in-bag"
only_in_first "$W/in-bag" "$W/in-git" | cut -d ' ' -f 1 >"$W/odd"
fail_each commit '' "$W/odd" ' is not what git holds'
case $LEVEL in none) due='/(files\.jsonl|lineage\.json) ' ;; *) due='' ;; esac
lines "$due" $W/in-git | sort | comm -23 - "$W/in-bag" | cut -d ' ' -f 1 >"$W/odd"
fail_each commit '' "$W/odd" ' is missing, or not what git holds'

# --- edge, files: what manifests name is here

while IFS=' ' read -r oid id; do printf '%s:lineage.json %s\n' "$oid" "$id"; done <"$W/brought" |
    read_all commit "$W/manifests"
ran commit "$(wc -l <"$W/commits") commits, each with the SHA-256 that is its id, as git holds them, and canonical JSON"
lines "^$ID$TAB\"edges\"${TAB}[0-9]+$TAB\"id\"$TAB" $W/manifests | cut -f 1,5 | tr -d '"' |
    sort -k 2,2 >"$W/edges"
cut -f 2 "$W/edges" | sort -u | comm -23 - "$W/commits" >"$W/odd"
fail_each edge 'a manifest has an edge to ' "$W/odd" ', which is not here'
ran edge "$(wc -l <"$W/edges") edges, and each leads to a commit that is here"

lines "^$ID$TAB\"payload\"$TAB\"files\"$TAB" $W/manifests | cut -f 1,4 | tr -d '"' |
    tr '\t' ' ' | sort >"$W/file-lists" # id sha256
while IFS=' ' read -r id sum; do
    printf '%s  data/commits/%s/files.jsonl\n' "$sum" "$id"
done <"$W/file-lists" >"$W/sums"
hashes files 'is not the list that its manifest names'
in_lists() { # OPTION... -e ERE: of all lists of files
    (cd "$B/data/commits" && git grep --no-index -a -E "$@" -- '*/files.jsonl' 2>>"$T/said") || lost $?
}
in_lists -v -e "^($FILE|$EMPTY)\$" | cut -c 1-64 | sort -u >"$W/odd"
fail_each files 'the list of ' "$W/odd" ' is not written as canonical JSON writes it'
in_lists -o -e "\"path\":$WRITTEN" | sort | uniq -d | cut -c 1-64 | sort -u >"$W/odd"
fail_each files 'the list of ' "$W/odd" ' names a path twice'
lines '/files\.jsonl$' $W/have-data | cut -c 14-77 | sort >"$W/with-files"
cut -d ' ' -f 1 "$W/file-lists" | sort >"$W/with-payload"
comm -3 "$W/with-files" "$W/with-payload" | tr -d '\t' >"$W/odd"
fail_each files '' "$W/odd" ' has a list of files or a payload, and not both'
ran files "$(wc -l <"$W/file-lists") lists of files, each as its manifest names it"

# --- report: what it calls recorded stands so in the manifest or event that it names

tr '\000' '\001' <"$B/data/report.json" >"$W/report.json"
tokens $W/report.json
fail_each report "$NOT_WRITTEN" "$W/report.json.odd" ''
parse $W/report.json.tokens names >"$W/report" 4>"$W/objects" # TAB path TAB value

# Readers differ in what they make of a name that comes twice, and what goes through the
# report below takes fields in their order: so each object has its own once, in order.
lines '^odd ' $W/objects | cut -c 5- | tr '\t' ' ' >"$W/odd"
fail_each report "$NOT_FORMED" "$W/odd" ''
while read -r place names; do
    path='' fields='' any='("[^"]*" )*'
    [ "$place" != top ] || place=''
    for part in $(printf '%s' "$place" | tr / ' '); do
        case $part in 0) part='[0-9]+' ;; *) part="\"$part\"" ;; esac
        path=$path$TAB$part
    done
    for name in $names; do fields="$fields$any\"$name\" "; done
    lines "^[^$TAB]*$path\$" $W/objects >"$W/shaped"
    others "^$fields$any($TAB|\$)" $W/shaped | cut -f 2- | tr '\t' ' ' >"$W/odd"
    fail_each report 'lacks a field, or has them in another order: ' "$W/odd" ''
done <<'END_OF_SHAPES'
top schema_version as_of subjects audience loops releases changes taints erasures generators training written artifacts statements gaps keys stamps obligations coverage
as_of event time type
loops/0 name branches later also_in oversight generations rejected measures
loops/0/(generations|rejected)/0 id number status follows reason parts held_out metrics gates made_of compute against_start statements
loops/0/(generations|rejected)/0/(parts|held_out)/0 role id kind name origin evidence share
loops/0/(generations|rejected)/0/(parts|held_out)/0/evidence status value commit
loops/0/(generations|rejected)/0/metrics/0 name value definition version direction n interval commit
loops/0/(generations|rejected)/0/gates/0 id type on verdict value bounds action sentence rejected details commit
loops/0/(generations|rejected)/0/statements/0 event type time by signature subject message data
loops/0/measures/0 name definition version direction meaning reference points
loops/0/measures/0/points/0 generation number value n interval
releases/0 event environment subject kind name since until by signature ended
taints/0 event subject reason by time signature lifted records reached reaches perhaps
erasures/0 event subjects files reason authority by time signature
artifacts/0 id git kind name generation event time by signature branches tags message bytes origin_class origin stated sources params metrics code circumstances further
artifacts/0/sources/0 role id kind name origin evidence share
artifacts/0/sources/0/evidence status value commit
artifacts/0/metrics/0 name value definition version direction n interval commit
statements/0 event type time by signature subject message data
keys/0 fingerprint name email roles key valid_from valid_until event added added_by root revoked
stamps/0 event of time tsa
END_OF_SHAPES
at() { # PATH: the value in report.json, without quotes
    lines "^$TAB$1$TAB" $W/report | cut -f "${2:-4}" | tr -d '"'
}
at '"artifacts"'"${TAB}[0-9]+$TAB"'"id"' 5 | sort >"$W/artifacts"
if [ ! -s "$W/artifacts" ]; then fail report 'report.json speaks of no commit'; fi
if [ "$(at '"as_of"'"$TAB"'"event"')" != "$NEWEST" ]; then
    fail report 'report.json is not as of the newest event'
fi
if [ "$(at '"audience"' 3)" != authority ]; then
    fail report 'report.json is not for an authority, for whom all bundles are'
fi
at '"subjects"'"${TAB}[0-9]+" | sort >"$W/subjects"
printf '%s\n' "$SUBJECT" | tr ' ' '\n' | sort | comm -3 - "$W/subjects" | tr -d '\t' >"$W/odd"
fail_each report '' "$W/odd" ' is a subject in bag-info.txt or in report.json, and not in both'
case ${SUBJECT%%"${SUBJECT#????????????}"} in
"$(basename "$B" | cut -c 9-20)") ;;
*) [ -d "$BUNDLE" ] || fail report 'the folder is called after another subject' ;;
esac

# What is said there of commits and events, each fact on a line that begins with an id.
# An edge is told by what it is, for its place in a list is another here than there.

facts_of_manifests() ( # FILE
    evidence='' to='' role='' part=''
    IFS=$LINE
    pieces "$1"
    for piece in "$1".piece.*; do
        [ -e "$piece" ] || continue
        set -f
        for line in $(cat "$piece"); do
            id=${line%%"$TAB"*} rest=${line#*"$TAB"} value=${line##*"$TAB"}
            case $rest in
            '"kind"'* | '"name"'* | '"params"'* | '"code"'* | '"metrics"'* | '"origin"'* | \
                '"payload"'*) printf '%s\n' "$line" ;;
            '"edges"'*'"evidence"'*) evidence=$value ;;
            '"edges"'*'"id"'*) to=$value ;;
            '"edges"'*"$TAB"'"role"'*)
                role=$value
                printf '%s\tedge\t%s\t%s\t%s\n' "$id" "$role" "$to" "$evidence"
                ;;
            '"edges"'*'"share"'*"${TAB}0$TAB"*) part=$value ;;
            '"edges"'*'"share"'*"${TAB}1$TAB"*)
                unit=${rest#*'"share"'"$TAB"}
                unit=${unit%%"$TAB"*}
                printf '%s\tshare\t%s\t%s\t%s\t%s\t%s\n' "$id" "$role" "$to" "$unit" "$part" "$value"
                ;;
            '"gates"'*)
                field=${rest#'"gates"'"$TAB"*"$TAB"}
                case $field in
                '"id"'"$TAB"* | '"type"'"$TAB"* | '"verdict"'"$TAB"* | '"value"'"$TAB"*)
                    printf '%s\n' "$line"
                    ;;
                esac
                ;;
            esac
        done
    done
)

last() { # of $line: its last key as $key and its value as $value
    value=${line##*"$TAB"}
    key=${line%"$TAB"*}
    key=${key##*"$TAB"}
}

facts_of_report() ( # FILE: sections come in the order that report.json has them
    id='' role='' to='' evidence='' unit='' first='' said='' turn=''
    m_name='' m_facts='' low='' gate='' event=''
    IFS=$LINE
    pieces "$1"
    for piece in "$1".piece.*; do
        [ -e "$piece" ] || continue
        set -f
        for line in $(cat "$piece"); do
            last
            case $line in
            "$TAB"'"artifacts"'"$TAB"*)
                rest=${line#"$TAB"*"$TAB"*"$TAB"}
                case $rest in
                '"id"'"$TAB"*) id=${value#?} && id=${id%?} ;;
                '"git"'"$TAB"*) git=${value#?} && printf '%s\tgit\t%s\n' "$id" "${git%?}" ;;
                '"kind"'"$TAB"* | '"name"'"$TAB"*) printf '%s\t%s\n' "$id" "$rest" ;;
                '"event"'"$TAB"*) event=${value#?} && event=${event%?} ;;
                '"time"'"$TAB"* | '"by"'"$TAB"*) printf '%s\t%s\n' "$event" "$rest" ;;
                '"params"'"$TAB"'"value"'"$TAB"* | '"code"'"$TAB"'"value"'"$TAB"*)
                    printf '%s\t%s\t%s\n' "$id" "${rest%%"$TAB"*}" "${rest#*"$TAB"*"$TAB"}"
                    ;;
                '"origin"'"$TAB"*"$TAB"'"value"'"$TAB"*)
                    said=${rest#*"$TAB"}
                    printf '%s\t"origin"\t%s\t%s\n' "$id" "${said%%"$TAB"*}" "${said#*"$TAB"*"$TAB"}"
                    ;;
                '"bytes"'"$TAB"'"value"'"$TAB"*)
                    case $key in '"count"' | '"size"' | '"files"' | '"root"' | '"type"')
                        printf '%s\t"payload"\t%s\t%s\n' "$id" "$key" "$value"
                        ;;
                    esac
                    ;;
                esac
                case $rest in '"metrics"'* | '"sources"'*) ;; *) continue ;; esac
                ;;
            *"$TAB"'"statements"'"$TAB"[0-9]*"$TAB"'"data"'"$TAB"*)
                rest=${line#*"$TAB"'"statements"'"$TAB"}
                rest=${rest#*"$TAB"}
                if [ "$rest" != '"data"'"$TAB{}" ]; then printf '%s\t%s\n' "$event" "$rest"; fi
                continue
                ;;
            esac
            case $line in
            *"$TAB"'"metrics"'"$TAB"[0-9]*"$TAB"*)
                case $key in
                '"name"') m_name=$value m_facts='' ;;
                '"value"' | '"definition"' | '"version"' | '"direction"' | '"n"')
                    [ "$value" = null ] || m_facts="$m_facts$LINE$key$TAB$value"
                    [ "$key" != '"value"' ] || low=$value
                    ;;
                0 | 1) m_facts="$m_facts$LINE"'"interval"'"$TAB$key$TAB$value" ;;
                '"commit"')
                    to=${value#?} && to=${to%?}
                    while [ -n "$m_facts" ]; do
                        said=${m_facts##*"$LINE"}
                        m_facts=${m_facts%"$LINE$said"}
                        printf '%s\t"metrics"\t%s\t%s\n' "$to" "$m_name" "$said"
                    done
                    [ -z "$turn" ] || printf '%s\tpoint\t%s\t%s\n' "$turn" "$m_name" "$low"
                    ;;
                esac
                ;;
            *"$TAB"'"gates"'"$TAB"[0-9]*"$TAB"*)
                rest=${line##*"$TAB"'"gates"'"$TAB"}
                gate=${rest%%"$TAB"*}
                case ${rest#*"$TAB"} in
                '"id"'"$TAB"* | '"type"'"$TAB"* | '"verdict"'"$TAB"*)
                    [ "$value" = null ] || printf '%s\t"gates"\t%s\t%s\t%s\n' "$turn" "$gate" "$key" "$value"
                    ;;
                '"value"'"$TAB"*)
                    [ "$value" = null ] || printf '%s\t"gates"\t%s\t%s\n' "$turn" "$gate" "${rest#*"$TAB"}"
                    ;;
                esac
                ;;
            *"$TAB"'"evidence"'"$TAB"'"value"'"$TAB"*) evidence=$value ;;
            *"$TAB"'"evidence"'"$TAB"'"commit"'"$TAB"*)
                said=${value#?}
                printf '%s\tedge\t%s\t%s\t%s\n' "${said%?}" "$role" "$to" "$evidence"
                ;;
            *"$TAB"'"share"'"$TAB"'"value"'"$TAB"*"${TAB}0$TAB"*) first=$value ;;
            *"$TAB"'"share"'"$TAB"'"value"'"$TAB"*"${TAB}1$TAB"*)
                unit=${line%"$TAB"*"$TAB"*}
                printf '%s\tshare\t%s\t%s\t%s\t%s\t%s\n' "${said%?}" "$role" "$to" "${unit##*"$TAB"}" "$first" "$value"
                ;;
            *"$TAB"'"generations"'"$TAB"[0-9]*"$TAB"'"id"'"$TAB"* | \
                *"$TAB"'"rejected"'"$TAB"[0-9]*"$TAB"'"id"'"$TAB"*)
                case $line in
                *'"parts"'* | *'"held_out"'*) to=$value ;;
                *) turn=${value#?} && turn=${turn%?} ;;
                esac
                ;;
            "$TAB"'"releases"'"$TAB"* | "$TAB"'"taints"'"$TAB"* | "$TAB"'"erasures"'"$TAB"*)
                turn=''
                case $line in *"$TAB"'"signature"'"$TAB"*) continue ;; esac
                case $key in
                '"by"') printf '%s\t"by"\t%s\n' "$event" "$value" ;;
                '"event"') event=${value#?} && event=${event%?} ;;
                '"subject"') printf '%s\t%s\t%s\n' "$event" "$key" "$value" ;;
                '"since"' | '"time"') printf '%s\t"time"\t%s\n' "$event" "$value" ;;
                '"environment"' | '"reason"' | '"authority"')
                    printf '%s\t"data"\t%s\t%s\n' "$event" "$key" "$value"
                    ;;
                esac
                ;;
            "$TAB"'"stamps"'"$TAB"*)
                case $key in
                '"event"') event=${value#?} && event=${event%?} ;;
                '"of"' | '"time"' | '"tsa"') printf '%s\t"data"\t%s\t%s\n' "$event" "$key" "$value" ;;
                esac
                ;;
            *"$TAB"'"points"'"$TAB"[0-9]*"$TAB"'"generation"'"$TAB"*) turn=${value#?} && turn=${turn%?} ;;
            *"$TAB"'"points"'"$TAB"[0-9]*"$TAB"'"value"'"$TAB"*)
                printf '%s\tpoint\t%s\t%s\n' "$turn" "$m_name" "$value" >&3
                ;;
            *"$TAB"'"measures"'"$TAB"[0-9]*"$TAB"'"name"'"$TAB"*) m_name=$value ;;
            *"$TAB"'"statements"'"$TAB"[0-9]*"$TAB"*)
                rest=${line##*"$TAB"'"statements"'"$TAB"}
                rest=${rest#*"$TAB"}
                case $rest in
                '"event"'"$TAB"*) event=${value#?} && event=${event%?} ;;
                '"type"'"$TAB"* | '"time"'"$TAB"* | '"by"'"$TAB"* | '"subject"'"$TAB"* | '"message"'"$TAB"*)
                    case $value in null | '""') ;; *) printf '%s\t%s\n' "$event" "$rest" ;; esac
                    ;;
                esac
                ;;
            *"$TAB"'"role"'"$TAB"*) role=$value ;;
            *"$TAB"'"id"'"$TAB"*) to=$value ;;
            esac
        done
    done
)

while IFS=' ' read -r oid id; do printf '%s\tgit\t%s\n' "$id" "$oid"; done <"$W/brought" >"$W/gits"
while IFS=' ' read -r id oid time type; do
    printf '%s\t"time"\t"%s"\n%s\t"type"\t"%s"\n' "$id" "$time" "$id" "$type"
done <"$W/events" >"$W/clock"
(cd "$B/data/log/events" && git grep --no-index -a -o -E -e "$ACTOR" -- . 2>>"$T/said") >"$W/actors"
while IFS= read -r line; do
    who=${line#*'"email":"'}
    name=${who#*'","name":"'} email=${who%%'","name":"'*}
    [ -z "$email" ] || email=" <$email>"
    printf '%s\t"by"\t"%s%s"\n' "${line%%.json:*}" "${name%'"}'}" "$email"
done <"$W/actors" >"$W/people"
# what is added up, told twice or no matter of the record is not looked at
others "^$TAB(\"artifacts\"${TAB}[0-9]+$TAB\"(circumstances|message|signature|stated|further)\"|\"loops\"${TAB}[0-9]+$TAB(\"oversight\"|\"(generations|rejected)\"${TAB}[0-9]+$TAB\"(made_of|compute|against_start)\")|\"(changes|generators|training|written|gaps|keys|obligations|coverage)\")$TAB" \
    $W/report >"$W/spoken-report"
lines '^.\"(statements|releases|taints|erasures|stamps|loops)\"' $W/report >"$W/about"
events_in() { # FILE: the events that lines of the report name
    scan "\"event\"$TAB\"$ID\"\$" "$1" | cut -d '"' -f 4 | sort -u
}
events_in $W/about >"$W/spoken"
of_events <"$W/spoken" >"$W/spoken-facts"
lines "^$ID$TAB\"(subject|message|data)\"$TAB" $W/spoken-facts >"$W/words"
facts_of_manifests "$W/manifests" | sort -u - "$W/gits" "$W/clock" "$W/people" "$W/words" >"$W/recorded"
: >"$W/points"
facts_of_report "$W/spoken-report" 3>"$W/points" | sort -u >"$W/told-facts"
lines "$TAB""point$TAB" $W/told-facts | sort -u >"$W/measured"
others "$TAB""point$TAB" $W/told-facts | sort -u >"$W/claimed"
short() { cut -c 1-12,65-160 | tr '\t' ' '; }
only_in_first "$W/claimed" "$W/recorded" | short >"$W/odd"
fail_each report 'not recorded so: ' "$W/odd" ''
sort -u "$W/points" | comm -23 - "$W/measured" | short >"$W/odd"
fail_each report 'a curve says what no generation does: ' "$W/odd" ''
others "$TAB(git|\"time\"|\"type\"|\"subject\"|\"message\"|\"gates\"|\"origin\"|\"payload\"|\"data\")$TAB" \
    $W/recorded | join -t "$TAB" - "$W/artifacts" | sort | comm -23 - "$W/claimed" | short >"$W/odd"
fail_each report 'left out: ' "$W/odd" ''
lines '"statements"' $W/report >"$W/about"
events_in $W/about >"$W/stated"
lines "^$ID$TAB\"data\"$TAB" $W/words | sort | join -t "$TAB" - "$W/stated" | sort |
    comm -23 - "$W/claimed" | short >"$W/odd"
fail_each report 'left out of what was said: ' "$W/odd" ''
sort "$W/edges" | join -o 1.2 - "$W/artifacts" | sort -u | comm -23 - "$W/artifacts" >"$W/odd"
fail_each report 'left out, though an artifact came from it: ' "$W/odd" ''

# What was said of an artifact may not be left out, unless another loop said it; that
# it was made again, by an event that moved nothing, is not said of it.
lines '"subject":"' $W/ends >"$W/tails"
others '"refs":\[|"type":"commit"\}$' $W/tails >"$W/sayings"
scan '^[0-9a-f]{64}|"subject":"[0-9a-f]{64}"' $W/sayings | paste -d '"' - - |
    cut -d '"' -f 1,5 --output-delimiter=' ' | sort -k 2,2 >"$W/said-of" # event subject
events_in $W/report >"$W/told"
join -1 2 -2 1 -o 1.1 "$W/said-of" "$W/artifacts" | sort -u | comm -23 - "$W/told" >"$W/untold"
of_events <"$W/untold" >"$W/untold-facts"
at '"loops"'"${TAB}[0-9]+$TAB"'"branches"'"${TAB}[0-9]+" 6 | sort >"$W/branches"
: >"$W/apart"
if [ -s "$W/branches" ]; then
    lines "^$ID$TAB\"data\"$TAB\"loop\"$TAB\"" $W/untold-facts | cut -f 1,4 | tr -d '"' |
        while IFS="$TAB" read -r id name; do printf 'loop/%s\t%s\n' "$name" "$id"; done | sort |
        join -t "$TAB" -v 1 - "$W/branches" | cut -f 2 | sort >"$W/apart"
fi
only_in_first "$W/untold" "$W/apart" >"$W/odd"
fail_each report 'left out, though it speaks of an artifact: the event ' "$W/odd" ''
lines "^$ID$TAB\"data\"$TAB\"live\"${TAB}false\$" $W/words | cut -f 1 | sort >"$W/ends-one"
join -1 2 -2 1 -o 1.1 "$W/said-of" "$W/artifacts" | sort -u | comm -23 - "$W/ends-one" |
    join - "$W/events" | cut -d ' ' -f 1,4 >"$W/kinds" # event type
chapter() { # TYPE NAME: every event of the type is in the part of the report that has them
    lines " $1\$" $W/kinds | cut -d ' ' -f 1 | sort >"$W/due-there"
    lines "^$TAB\"$2\"$TAB[0-9]+$TAB\"event\"$TAB" $W/report | cut -f 5 | tr -d '"' |
        sort -u | comm -13 - "$W/due-there" >"$W/odd"
    fail_each report "left out of $2: the event " "$W/odd" ''
}
chapter taint taints
chapter release releases
chapter erase erasures
lines ' "add" ' $W/changes | cut -d ' ' -f 3 | sort -u >"$W/added"
lines "^$TAB\"keys\"$TAB[0-9]+$TAB\"fingerprint\"$TAB" $W/report | cut -f 5 | tr -d '"' |
    sort -u | comm -3 - "$W/added" | tr -d '\t' >"$W/odd"
fail_each report 'a key of the log or of the report, and not of both: ' "$W/odd" ''

# A statement stands word for word wherever the report has it as stated.
lines "$TAB\"(value|event)\"$TAB" $W/report >"$W/values"
others "$TAB\"(signature|params|code|metrics|bytes)\"$TAB" $W/values | {
    value='' at=''
    while IFS= read -r line; do
        path=${line%"$TAB"*}
        case $path in
        *"$TAB"'"value"') value=${line##*"$TAB"} at=${path%"$TAB"*} ;;
        "$at$TAB"'"event"')
            event=${line##*"$TAB"} event=${event#?}
            printf '%s\t%s\n' "${event%?}" "$value"
            ;;
        esac
    done
} | sort -u >"$W/quoted"
lines ' statement$' $W/events | cut -d ' ' -f 1 | join -t "$TAB" - "$W/quoted" | sort -u >"$W/quotes"
lines "^$ID$TAB\"data\"$TAB\"stated\"$TAB" $W/words | cut -f 1,5 | sort -u >"$W/said-so"
only_in_first "$W/quotes" "$W/said-so" | short >"$W/odd"
fail_each report 'not stated so: ' "$W/odd" ''
ran report "$(wc -l <"$W/claimed") facts of report.json stand so in manifests and events"
skipped report 'what report.json adds up or tells in words, report.html and formats/ (VERIFY.md)'

# --- payload: the files themselves

: >"$W/held"
if [ -d "$B/data/payload" ]; then (cd "$B/data/payload" && ls -A) | sort >"$W/held"; fi
sha_list data/payload/ '' <"$W/held" >"$W/sums"
if [ -s "$W/held" ]; then hashes payload 'does not have the SHA-256 that it is called after'; fi
in_lists -o -e "\"sha256\":\"$ID\"" | cut -c 1-64,88-151 --output-delimiter=' ' | sort -u >"$W/files-of" # id sha256
join "$W/files-of" "$W/artifacts" | cut -d ' ' -f 2 | sort -u >"$W/due-files"
if [ "$LEVEL" != all ] && [ -s "$W/held" ]; then
    fail payload "bag-info.txt says $LEVEL, and files of the payload are here"
fi
only_in_first "$W/held" "$W/due-files" >"$W/odd"
fail_each payload '' "$W/odd" ' is no file of a commit that the report speaks of'
if [ "$LEVEL" = all ]; then
    : >"$W/missing"
    if [ -s "$B/data/missing.txt" ]; then cat "$B/data/missing.txt" >"$W/missing"; fi
    others "^$ID (erased|freed|not-stored) $ID\$" $W/missing >"$W/odd"
    if [ -s "$W/odd" ]; then fail payload 'missing.txt has lines that say nothing'; fi
    cut -d ' ' -f 1 "$W/missing" | sort >"$W/away"
    sort "$W/held" "$W/away" | comm -13 - "$W/due-files" >"$W/odd"
    fail_each payload '' "$W/odd" ' is missing, and nothing says why'
    lines ' erase$' $W/events | cut -d ' ' -f 1 | of_events >"$W/erasures"
    lines "$TAB\"objects\"${TAB}[0-9]+$TAB\"sha256\"$TAB" $W/erasures | cut -f 1,6 | tr -d '"' |
        tr '\t' ' ' >"$W/gone-event"
    while IFS=' ' read -r event sum; do printf '%s erased %s\n' "$sum" "$event"; done \
        <"$W/gone-event" >"$W/explained"
    lines "$TAB\"stored\"${TAB}false\$" $W/manifests | cut -f 1 | sort | join - "$W/files-of" |
        while IFS=' ' read -r id sum; do printf '%s not-stored %s\n' "$sum" "$id"; done >>"$W/explained"
    lines ' gc$' $W/events | cut -d ' ' -f 1 | of_events >"$W/freed"
    lines "$TAB\"commits\"${TAB}[0-9]+$TAB\"id\"$TAB" $W/freed | cut -f 1,6 | tr -d '"' | tr '\t' ' ' |
        sort -k 2,2 | join -1 2 -2 1 -o 2.2,1.1 - "$W/files-of" |
        while IFS=' ' read -r sum event; do printf '%s freed %s\n' "$sum" "$event"; done >>"$W/explained"
    sort -u "$W/explained" >"$W/reasons"
    sort -u "$W/missing" | comm -23 - "$W/reasons" >"$W/odd"
    fail_each payload 'no event bears this out: ' "$W/odd" ''
    ran payload "$(wc -l <"$W/held") files with the SHA-256 of their lists; $(wc -l <"$W/missing") away, with reason"
else
    ran payload "$(wc -l <"$W/held") files with the SHA-256 of their lists"
    skipped payload 'the files themselves are not in this bundle: compare any with its SHA-256'
fi

# --- since: nothing that was seen before is gone

if [ -n "$SINCE" ]; then
    if [ -n "$(lines "^$SINCE " $W/events)" ]; then
        ran since "$SINCE is in this log: what was before it is as it was"
    else
        fail since "$SINCE is not in this log: history was rewritten, or this is another or an older one"
        ran since ''
    fi
else
    skipped since 'whether the log is a new one altogether: give an event that you saw before'
    ran since ''
fi

# --- timestamp: what an authority says about when

lines ' timestamp$' $W/events | cut -d ' ' -f 1 | of_events >"$W/stamps"
lines "^$ID$TAB\"data\"$TAB\"(of|token)\"$TAB" $W/stamps | cut -f 1,4 | tr -d '"' |
    paste - - | tr '\t' ' ' >"$W/tokens" # id of id token
: >"$W/stamp-files"
stamps=0
while IFS=' ' read -r id of _ token; do
    stamps=$((stamps + 1))
    short=${id%"${id#????????????}"}
    file=$B/data/timestamps/$of.$short.tsr
    printf '%s.%s.tsr\n' "$of" "$short" >>"$W/stamp-files"
    if [ -z "$(lines "^$of " $W/events)" ]; then fail timestamp "$id stamps no event of this log"; fi
    if [ "$(base64 -w 0 "$file" 2>>"$T/said")" != "$token" ]; then
        fail timestamp "the token of $id is not the one in the log"
        continue
    fi
    openssl ts -reply -in "$file" -text >"$W/reply" 2>>"$T/said"
    stamped=$(lines '^    00[01]0 - ' $W/reply | cut -c 12-58 | tr -d ' \n-')
    [ "$stamped" = "$of" ] || fail timestamp "the token for $of is over something else"
    lines '^Time stamp: ' $W/reply | cut -d ' ' -f 3- >"$W/when"
    printf '       timestamp: %s was there by %s\n' "$of" "$(tr -cd '[:print:]' <"$W/when")"
    if [ -n "$TSA" ]; then
        if ! openssl ts -verify -digest "$of" -in "$file" -CAfile "$TSA" >"$W/out" 2>"$W/err"; then
            fail timestamp "openssl does not accept the token for $of"
        fi
    fi
done <"$W/tokens"
if [ -d "$B/data/timestamps" ]; then
    (cd "$B/data/timestamps" && ls -A) | sort >"$W/have-stamps"
    sort "$W/stamp-files" | comm -13 - "$W/have-stamps" >"$W/odd"
    fail_each timestamp '' "$W/odd" ' is in no event'
fi
if [ "$stamps" -eq 0 ]; then
    skipped timestamp 'nobody stamped this log: its times are those of the signers'\'' clocks'
elif [ -z "$TSA" ]; then
    skipped timestamp "$stamps tokens are as the log has them; by whom: give --tsa-ca"
fi
ran timestamp "$stamps tokens, each of an event of this log"
finish all
