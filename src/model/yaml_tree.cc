#include "model/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>

namespace holdfast {

namespace {

Error InvalidYaml(const YAML::Mark& mark, std::string_view what) {
  return MakeError(ErrorId::kInvalidPolicy,
                   fmt::format("{}: {}", PlaceText(mark.line + 1, mark.column + 1), what));
}

class TreeBuilder {
 public:
  explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

  Result<YamlNode> Build(const YAML::Node& from, int depth) {
    if (depth > limits_.depth_max) return InvalidYaml(from.Mark(), "is nested too deep");
    if (++nodes_ > limits_.nodes_max) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("more than {} values", limits_.nodes_max));
    }
    YamlNode node;
    node.line = std::max(from.Mark().line, 0) + 1;
    node.column = std::max(from.Mark().column, 0) + 1;
    if (from.IsScalar()) {
      node.kind = YamlNode::Kind::kScalar;
      node.text = from.Scalar();
      node.quoted = from.Tag() == "!";
    } else if (from.IsSequence()) {
      node.kind = YamlNode::Kind::kList;
      for (const auto& item : from) {
        HF_ASSIGN_OR_RETURN(YamlNode built, Build(item, depth + 1));
        node.items.push_back(std::move(built));
      }
    } else if (from.IsMap()) {
      HF_RETURN_IF_ERROR(BuildMap(from, depth, node));
    }
    return node;
  }

 private:
  Status BuildMap(const YAML::Node& from, int depth, YamlNode& node) {
    node.kind = YamlNode::Kind::kMap;
    std::set<std::string> seen;
    for (const auto& entry : from) {
      if (!entry.first.IsScalar()) return InvalidYaml(entry.first.Mark(), "a key is not a word");
      if (!seen.insert(entry.first.Scalar()).second) {
        return InvalidYaml(entry.first.Mark(),
                           fmt::format("\"{}\" is there twice", entry.first.Scalar()));
      }
      HF_ASSIGN_OR_RETURN(YamlNode key, Build(entry.first, depth + 1));
      HF_ASSIGN_OR_RETURN(YamlNode value, Build(entry.second, depth + 1));
      if (value.kind == YamlNode::Kind::kNull) {
        // Where nothing stands, the parser's place is that of the next thing.
        value.line = key.line;
        value.column = key.column;
      }
      node.keys.push_back(std::move(key));
      node.items.push_back(std::move(value));
    }
    return Ok();
  }

  const YamlLimits& limits_;
  size_t nodes_ = 0;
};

template <typename T>
std::optional<Json> NumberOf(const std::string& text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Json(value);
}

Json ScalarToJson(const YamlNode& node) {
  if (node.quoted) return node.text;
  if (node.text == "true") return true;
  if (node.text == "false") return false;
  if (auto whole = NumberOf<int64_t>(node.text)) return *std::move(whole);
  // Only digits make a number: "inf" and "nan" are words.
  if (node.text.find_first_not_of("0123456789.+-eE") == std::string::npos) {
    if (auto number = NumberOf<double>(node.text)) return *std::move(number);
  }
  return node.text;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

Json YamlNode::ToJson() const {
  switch (kind) {
    case Kind::kNull:
      break;
    case Kind::kScalar:
      return ScalarToJson(*this);
    case Kind::kList: {
      Json list = Json::array();
      for (const YamlNode& item : items) list.push_back(item.ToJson());
      return list;
    }
    case Kind::kMap: {
      Json map = Json::object();
      for (size_t i = 0; i < keys.size(); ++i) map[keys[i].text] = items[i].ToJson();
      return map;
    }
  }
  return nullptr;
}

std::string PlaceText(int line, int column) {
  return fmt::format("line {}, column {}", line, column);
}

Result<YamlNode> ParseYamlTree(const std::string& text, const YamlLimits& limits) {
  if (text.size() > limits.size_bytes_max) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("more than {} bytes", limits.size_bytes_max));
  }
  // yaml-cpp throws; this is its edge.
  try {
    return TreeBuilder(limits).Build(YAML::Load(text), 0);
  } catch (const YAML::Exception& error) {
    return InvalidYaml(error.mark, error.msg);
  }
}

}  // namespace holdfast
