#include "restore/sql_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>

#include "model/quote.h"

namespace holdfast::restore {

namespace {

enum class TokenKind { kName, kQuotedName, kOther };  // strings and numbers are kOther

struct Token {
  TokenKind kind = TokenKind::kOther;
  size_t begin = 0;
  size_t end = 0;    // behind it
  std::string text;  // a quoted name without its quotes and escapes
};

bool IsNameStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

bool IsNamePart(char c) {
  return IsNameStart(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

// Cuts a text into tokens; white space and comments are left out.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : sql_(sql) {}

  std::vector<Token> Cut() {
    std::vector<Token> tokens;
    while (SkipSpace()) tokens.push_back(Next());
    return tokens;
  }

 private:
  bool Begins(std::string_view text) const { return sql_.substr(at_).starts_with(text); }

  void SkipTo(std::string_view end) {
    const size_t found = sql_.find(end, at_);
    at_ = found == sql_.npos ? sql_.size() : found + end.size();
  }

  // False at the end.
  bool SkipSpace() {
    while (at_ < sql_.size()) {
      if (std::isspace(static_cast<unsigned char>(sql_[at_])) != 0) {
        ++at_;
      } else if (Begins("--") || Begins("#")) {
        SkipTo("\n");
      } else if (Begins("/*")) {
        at_ += 2;
        SkipTo("*/");
      } else {
        return true;
      }
    }
    return false;
  }

  Token Next() {
    const size_t begin = at_;
    Token token{.begin = begin, .text = {}};
    if (const auto prefix = StringPrefix()) {
      SkipString(*prefix);
    } else if (sql_[at_] == '`') {
      token.kind = TokenKind::kQuotedName;
      token.text = QuotedName();
    } else if (IsNameStart(sql_[at_]) || (follows_name_and_dot_ && IsNamePart(sql_[at_]))) {
      // After a dot a name may begin with a digit: sales.2024_orders.
      token.kind = TokenKind::kName;
      SkipName();
      token.text = std::string(sql_.substr(begin, at_ - begin));
    } else if (std::isdigit(static_cast<unsigned char>(sql_[at_])) != 0) {
      while (at_ < sql_.size() && IsNamePart(sql_[at_])) ++at_;
    } else {
      ++at_;
      token.text = std::string(1, sql_[begin]);
    }
    token.end = at_;
    follows_name_and_dot_ = token.text == "." && last_is_name_;
    last_is_name_ = token.kind != TokenKind::kOther;
    return token;
  }

  // How many letters stand before a string that begins here: r'...', B"...", rb'...'. nullopt: no
  // string does.
  std::optional<size_t> StringPrefix() const {
    size_t at = at_;
    while (at < sql_.size() && at - at_ < 2 && std::string_view("rRbB").find(sql_[at]) != sql_.npos)
      ++at;
    if (at == sql_.size() || (sql_[at] != '\'' && sql_[at] != '"')) return std::nullopt;
    return at - at_;
  }

  void SkipString(size_t prefix) {
    at_ += prefix;
    const std::string one(1, sql_[at_]);
    const std::string three = one + one + one;
    const std::string& quote = Begins(three) ? three : one;
    at_ += quote.size();
    // A backslash keeps what follows it from ending the string, in raw strings too.
    while (at_ < sql_.size() && !Begins(quote)) at_ += sql_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + quote.size(), sql_.size());
  }

  std::string QuotedName() {
    std::string text;
    for (++at_; at_ < sql_.size() && sql_[at_] != '`'; ++at_) {
      if (sql_[at_] == '\\' && at_ + 1 < sql_.size()) ++at_;
      text += sql_[at_];
    }
    at_ = std::min(at_ + 1, sql_.size());
    return text;
  }

  // A dash belongs to a name when name characters follow it at once and a dot comes in the end: a
  // project's id without quotes, as in FROM my-project.sales.orders.
  void SkipName() {
    while (at_ < sql_.size() && IsNamePart(sql_[at_])) ++at_;
    size_t end = at_;
    bool has_dash = false;
    while (end < sql_.size() && (IsNamePart(sql_[end]) || sql_[end] == '-')) {
      has_dash = has_dash || sql_[end] == '-';
      if (sql_.substr(end).starts_with("--")) return;
      ++end;
    }
    if (has_dash && end < sql_.size() && sql_[end] == '.') at_ = end;
  }

  std::string_view sql_;
  size_t at_ = 0;
  bool last_is_name_ = false;
  bool follows_name_and_dot_ = false;
};

// Words after which the name of a table or routine stands.
constexpr std::array<std::string_view, 17> kBeforeNames = {
    "FROM", "JOIN",   "INTO",     "TABLE",     "UPDATE", "MERGE", "USING", "INSERT", "DELETE",
    "VIEW", "EXISTS", "FUNCTION", "PROCEDURE", "CALL",   "MODEL", "CLONE", "COPY"};
// Groups of the service's own functions, which look like datasets of routines.
constexpr std::array<std::string_view, 7> kFunctionGroups = {
    "SAFE", "NET", "HLL_COUNT", "KLL_QUANTILES", "AEAD", "KEYS", "ML"};
// Those of them behind which a table may be given another name, under which its columns are known.
constexpr std::array<std::string_view, 6> kBeforeAliased = {"FROM",  "JOIN",  "UPDATE",
                                                            "MERGE", "USING", "DELETE"};
// Words that can follow a table without being that name.
constexpr std::array<std::string_view, 27> kNoAlias = {
    "WHERE",   "GROUP",           "HAVING", "QUALIFY", "WINDOW",      "ORDER",
    "LIMIT",   "UNION",           "EXCEPT", "SET",     "SELECT",      "INTERSECT",
    "JOIN",    "INNER",           "LEFT",   "RIGHT",   "FULL",        "CROSS",
    "ON",      "USING",           "FOR",    "WHEN",    "TABLESAMPLE", "PIVOT",
    "UNPIVOT", "MATCH_RECOGNIZE", "VALUES"};
// Words that end a FROM clause at their level of parentheses.
constexpr std::array<std::string_view, 12> kAfterFrom = {"WHERE",  "GROUP",  "HAVING",    "QUALIFY",
                                                         "WINDOW", "ORDER",  "LIMIT",     "UNION",
                                                         "SELECT", "EXCEPT", "INTERSECT", "SET"};

template <size_t N>
bool IsOneOf(const std::array<std::string_view, N>& words, const std::string& upper) {
  return std::ranges::find(words, upper) != words.end();
}

// One path of names in the text.
struct Path {
  size_t begin = 0;
  size_t end = 0;
  std::vector<std::string> parts;
  bool before_parenthesis = false;
  bool where_a_name_stands = false;
  bool is_its_own_alias = false;  // a FROM item or the like that is given no other name
};

// Finds the paths of a text, with what stands around each.
class PathFinder {
 public:
  explicit PathFinder(std::string_view sql) : tokens_(Tokens(sql).Cut()) {}

  std::vector<Path> Find() {
    std::vector<Path> paths;
    size_t i = 0;
    while (i < tokens_.size()) {
      if (tokens_[i].kind == TokenKind::kOther) {
        NoteSign(tokens_[i].text);
        ++i;
        continue;
      }
      const size_t first = i;
      Path path = PathFrom(i);
      if (path.parts.size() == 1 && tokens_[first].kind == TokenKind::kName) {
        NoteWord(Upper(tokens_[first].text));
      } else {
        path.is_its_own_alias = takes_alias_ && path.where_a_name_stands && !IsAlias(i);
        paths.push_back(std::move(path));
        expects_name_ = false;
        last_word_.clear();
      }
    }
    return paths;
  }

 private:
  Path PathFrom(size_t& i) {
    Path path{.begin = tokens_[i].begin, .parts = {}, .where_a_name_stands = expects_name_};
    Append(tokens_[i], path);
    path.end = tokens_[i++].end;
    while (i + 1 < tokens_.size() && tokens_[i].text == "." &&
           tokens_[i].kind == TokenKind::kOther && tokens_[i + 1].kind != TokenKind::kOther) {
      Append(tokens_[i + 1], path);
      path.end = tokens_[i + 1].end;
      i += 2;
    }
    path.before_parenthesis =
        i < tokens_.size() && tokens_[i].kind == TokenKind::kOther && tokens_[i].text == "(";
    return path;
  }

  // Whether the token is another name for what stands before it.
  bool IsAlias(size_t i) const {
    if (i >= tokens_.size() || tokens_[i].kind == TokenKind::kOther) return false;
    return tokens_[i].kind == TokenKind::kQuotedName || !IsOneOf(kNoAlias, Upper(tokens_[i].text));
  }

  // One pair of quotes may hold several names.
  static void Append(const Token& token, Path& path) {
    size_t begin = 0;
    while (token.kind == TokenKind::kQuotedName) {
      const size_t dot = token.text.find('.', begin);
      if (dot == std::string::npos) break;
      path.parts.push_back(token.text.substr(begin, dot - begin));
      begin = dot + 1;
    }
    path.parts.push_back(token.text.substr(begin));
  }

  void NoteSign(const std::string& sign) {
    if (sign == "(") {
      // FROM (a JOIN b): what is in the parentheses stands where a table can.
      levels_.push_back({.in_from = expects_name_, .of_extract = last_word_ == "EXTRACT"});
    } else if (sign == ")") {
      if (levels_.size() > 1) levels_.pop_back();
      expects_name_ = false;
    } else {
      expects_name_ = sign == "," && levels_.back().in_from;
      takes_alias_ = expects_name_;
    }
    last_word_.clear();
  }

  void NoteWord(const std::string& word) {
    // EXTRACT(DAY FROM o.ordered), a IS DISTINCT FROM o.b: what follows is a value.
    const bool of_value = word == "FROM" && (levels_.back().of_extract || last_word_ == "DISTINCT");
    const bool merge_into = word == "INTO" && last_word_ == "MERGE";
    last_word_ = word;
    if (of_value) return;
    if (word == "FROM" || word == "JOIN") levels_.back().in_from = true;
    if (IsOneOf(kAfterFrom, word)) levels_.back().in_from = false;
    expects_name_ = IsOneOf(kBeforeNames, word);
    takes_alias_ = merge_into || IsOneOf(kBeforeAliased, word);
  }

  struct Level {
    bool in_from = false;     // in a FROM clause
    bool of_extract = false;  // between the parentheses of EXTRACT
  };

  std::vector<Token> tokens_;
  std::vector<Level> levels_ = {{}};  // one for each open parenthesis
  std::string last_word_;             // empty: a sign or a path was last
  bool expects_name_ = false;
  bool takes_alias_ = false;  // where it does: whether another name may follow
};

// What a path names; nullopt: no object of a dataset, or a place where it cannot.
std::optional<TableRef> ObjectOf(const Path& path, const DatasetRef& home) {
  std::vector<std::string> parts = path.parts;
  // The project of a domain has a dot in its name: `example.com:shop.sales.orders`.
  if (parts.size() == 4 && parts[1].find(':') != std::string::npos) {
    parts[0] += "." + parts[1];
    parts.erase(parts.begin() + 1);
  }
  // Of `acme.sales`.INFORMATION_SCHEMA.TABLES, the service tells.
  for (const std::string& part : parts) {
    if (Upper(part) == "INFORMATION_SCHEMA") return std::nullopt;
  }
  if (parts.size() == 2) {
    if (!path.where_a_name_stands && !path.before_parenthesis) return std::nullopt;
    if (path.before_parenthesis && IsOneOf(kFunctionGroups, Upper(parts[0]))) return std::nullopt;
    parts.insert(parts.begin(), home.project);
  }
  if (parts.size() != 3 || !ValidateProjectId(parts[0]).ok() || !ValidateDatasetId(parts[1]).ok()) {
    return std::nullopt;
  }
  const DatasetRef dataset{parts[0], parts[1]};
  // INSERT INTO sales.orders (id) has a parenthesis too, but stands where a table does; a table
  // function stands there as well, so which it is must be looked up.
  const bool is_routine = path.before_parenthesis && ValidateRoutineId(parts[2]).ok();
  if (is_routine) return RoutineObject(dataset, parts[2]);
  return TableRef{dataset.project, dataset.dataset, parts[2], {}};
}

// The other thing that a name before a parenthesis can be.
TableRef AsTable(const TableRef& object) {
  const auto reserved = ParseReservedName(object.table);
  return {object.project, object.dataset, reserved ? reserved->routine : object.table, {}};
}

// What the name of many tables, `events_*`, becomes: as long as all that it means keep their names
// and go to one dataset. nullopt: they do not.
std::optional<TableRef> WildcardTarget(const TableRef& wildcard, const Renames& renames) {
  const std::string prefix = wildcard.table.substr(0, wildcard.table.size() - 1);
  std::optional<DatasetRef> dataset;
  for (auto at = renames.lower_bound({wildcard.project, wildcard.dataset, prefix, ""});
       at != renames.end() && at->first.dataset_ref() == wildcard.dataset_ref() &&
       at->first.table.starts_with(prefix);
       ++at) {
    const TableRef& target = at->second;
    if (target.table != at->first.table) return std::nullopt;
    if (dataset && *dataset != target.dataset_ref()) return std::nullopt;
    dataset = target.dataset_ref();
  }
  if (!dataset) return std::nullopt;
  return TableRef{dataset->project, dataset->dataset, wildcard.table, ""};
}

// What takes the place of the object; nullopt: it stays.
std::optional<TableRef> SuccessorOf(const TableRef& object, const Path& path,
                                    const Renames& renames) {
  auto found = renames.find(object);
  if (found == renames.end() && path.where_a_name_stands) found = renames.find(AsTable(object));
  if (found != renames.end()) {
    if (found->first == found->second) return std::nullopt;
    return AsTable(found->second);
  }
  if (!object.table.ends_with('*')) return std::nullopt;
  const auto target = WildcardTarget(object, renames);
  return target == object ? std::nullopt : target;
}

}  // namespace

std::vector<TableRef> NamesInSql(std::string_view sql, const DatasetRef& home) {
  std::set<TableRef> names;
  for (const Path& path : PathFinder(sql).Find()) {
    if (const auto object = ObjectOf(path, home)) names.insert(*object);
  }
  return {names.begin(), names.end()};
}

bool MayNameDataset(std::string_view sql, const DatasetRef& dataset) {
  const std::vector<Token> tokens = Tokens(sql).Cut();
  const auto is_name = [&](size_t i) {
    return i < tokens.size() && tokens[i].kind != TokenKind::kOther;
  };
  const auto is_dot = [&](size_t i) { return i < tokens.size() && tokens[i].text == "."; };
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string& text = tokens[i].text;
    if (!is_name(i)) continue;
    const std::string path = text + (is_dot(i + 1) ? "." : "");
    const bool begins = path.starts_with(dataset.dataset + ".") ||
                        path.find("-" + dataset.dataset + ".") != path.npos;
    const bool qualified = path.find(dataset.project + "." + dataset.dataset + ".") != path.npos;
    if (qualified) return true;
    if (!begins) continue;
    // A part of another project's name is that project's dataset.
    const bool of_another =
        i >= 2 && is_dot(i - 1) && is_name(i - 2) && tokens[i - 2].text != dataset.project;
    if (!of_another) return true;
  }
  return false;
}

std::string RewriteSql(std::string_view sql, const DatasetRef& home, const Renames& renames) {
  std::string rewritten;
  size_t copied = 0;
  for (const Path& path : PathFinder(sql).Find()) {
    const auto object = ObjectOf(path, home);
    if (!object) continue;
    const auto target = SuccessorOf(*object, path, renames);
    if (!target) continue;
    rewritten += sql.substr(copied, path.begin - copied);
    rewritten += QuotePath({target->project}) + "." + QuotePath({target->dataset}) + "." +
                 QuotePath({target->table});
    copied = path.end;
    // Its columns may be written as orders.id: that name is to mean it still.
    const std::string& known_as = path.parts.back();
    if (path.is_its_own_alias && !path.before_parenthesis && known_as != target->table) {
      rewritten += " AS " + QuotePath({known_as});
    }
  }
  return rewritten + std::string(sql.substr(copied));
}

}  // namespace holdfast::restore
