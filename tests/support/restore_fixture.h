// What the tests of restore/ begin with: tables of one dataset, and requests for them.
#pragma once

#include <string>

#include "restore/apply.h"
#include "restore/plan.h"
#include "restore/unfinished.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::testing_support {

inline const TableRef kSales{"acme-shop", "sales", "", ""};
inline const TableRef kFirst{"acme-shop", "sales", "t1", ""};
inline const TableRef kSecond{"acme-shop", "sales", "t2", ""};
inline const TableRef kDays{"acme-shop", "sales", "days", ""};

inline void AddTwo(SimFixture& fixture) {
  fixture.cloud().AddTable(kFirst, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().AddTable(kSecond, TwoColumns(), NumberedRows(1, 20));
}

inline restore::RestoreRequest Of(const TableRef& source) {
  restore::RestoreRequest request;
  request.source = source;
  return request;
}

inline restore::RestoreRequest To(const TableRef& source, const std::string& dataset) {
  restore::RestoreRequest request = Of(source);
  request.to_dataset = dataset;
  return request;
}

inline Result<restore::RestoreReport> Restore(SimFixture& fixture,
                                              const restore::RestoreRequest& request) {
  HF_ASSIGN_OR_RETURN(const restore::RestorePlan plan,
                      restore::PlanRestore(request, fixture.restore_services()));
  return restore::Apply(request, plan, fixture.restore_services());
}

}  // namespace holdfast::testing_support
