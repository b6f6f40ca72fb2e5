#include <fmt/format.h>

#include "cli/reference_text.h"
#include "model/policy_document.h"
#include "model/policy_field.h"

namespace holdfast::cli {

namespace {

constexpr const char* kPolicyIntroduction = R"(# Policy document

<!-- Written by the program itself; a test fails when they differ. To write it anew:
holdfast help --markdown policy > docs/reference/policy.md -->

What holds for each table of the organization, in one YAML: the file that the setting `policy_file` names,
or the member `policies` of the configuration file. `holdfast policy validate` tells every mistake with
line and column; `holdfast policy show TABLE` tells what holds for a table and where each value was said.
A run carries the document as it was when the run began.

```yaml
defaults:
  schedule: {cron: "0 23 * * *", time_zone: America/New_York}
classes:
  critical: {rpo: 1h, forced_full_days: 1}
folders:
  folders/123: {class: important}
projects:
  acme-*: {codec: DEFLATE}
datasets:
  acme-shop.archive: {schedule: "0 8 1 * *"}
tables:
  "acme-*.*.tmp_*": {exclude: true}
labels:
  env=prod,team=*: {class: critical}
owner_bounds:
  labels: true
  bucket: acme-policies
  fields:
    class: {allow: [critical, important]}
    forced_full_days: {min: 1, max: 30}
    schedule: {allow: ["0 2 * * *"]}
```

## Which word counts

Each field by itself is taken from the most specific rule that gives it: `defaults`, then the project's
folders from the farthest to the nearest, then `projects`, `datasets`, `tables`, then the owner's file, then
the owner's labels. Keys are names or globs with `*` and `?`, of as many parts as the section has. Within a
section a name without wildcards wins over a glob, then the one with more characters that are no wildcard,
then the one with fewer `*`, then the one that comes later in the document.

A selector in `labels` ("`env=prod,team=*`": every term must fit) counts at the level of the resource that
carries the label, table, dataset or project (of several terms the lowest), below the names of that level.
A label of a table hides the same label of its dataset and project.

The fields of a class count at the place where the class in effect was named, below what is said there
itself. `critical`, `important` and `reference` exist without being defined:

)";

constexpr const char* kPolicyEnding = R"(
Durations are written `30s`, `15m`, `4h`, `7d`, `2w`.

## Schedules

Five fields as in crontab(5), or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, with an IANA time
zone (UTC if none is given). When both the day of the month and the day of the week are restricted, either
suffices. A local time that daylight saving leaves out is due when the clock jumps; one that comes twice is
due the first time. `holdfast up` begins what is due; `holdfast backup run --due` does so once. What was
missed while nothing ran is said and caught up with once. A schedule that never had a run is due at once,
and a table without a schedule is backed up by `holdfast backup run` alone.

## Owners of tables

With `owner_bounds` the platform team lets owners say some fields themselves:

- by labels of the table, with `labels: true`: `holdfast-class=critical`, `holdfast-forced_full_days=3`
  (`-` may stand for `_`);
- by a file `PREFIX/PROJECT/DATASET/TABLE.yaml` in `bucket`, a map of fields.

Only what `fields` names may be said: within `min` and `max`, or one of `allow`; `retention.NAME` bounds one
number of `retention`, which owners may then say with just the numbers that have bounds. `schedule` needs `allow`. What is out of bounds is left out, and the `note` of the
table's outcome in the run's report says why; the rest of the owner's word counts.
)";

std::string ClassTable() {
  std::string text = "| class | rto | rpo |\n|---|---|---|\n";
  for (const PolicyRule& rule : BuiltInClasses()) {
    text += fmt::format("| `{}` | {} | {} |\n", rule.key,
                        rule.fields.at("rto").value.get<std::string>(),
                        rule.fields.at("rpo").value.get<std::string>());
  }
  return text;
}

}  // namespace

std::string PolicyReference() {
  std::string text = std::string(kPolicyIntroduction) + ClassTable() +
                     "\n## Fields\n\nA field that no rule gives is as the setting `policy.FIELD` "
                     "says.\n\n| field | meaning | |\n|---|---|---|\n";
  for (const PolicyField& field : AllPolicyFields()) {
    text += fmt::format("| `{}` | {} | {} |\n", field.name, field.doc,
                        field.is_kept_only ? "kept and shown, not acted on yet" : "");
  }
  return text + kPolicyEnding;
}

}  // namespace holdfast::cli
