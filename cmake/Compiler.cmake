# Language, warnings, sanitizers, ccache and mold, for every target of ours.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)

find_program(CCACHE ccache)
if(CCACHE)
  # No directory in the hash: two build trees of one checkout share their objects.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The warnings of our own code; third-party headers are SYSTEM. A designated initializer names what
# differs from the defaults, so the members that it leaves out are no oversight.
add_library(holdfast_options INTERFACE)
target_compile_options(holdfast_options INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-missing-field-initializers
  -fstack-protector-strong)
target_include_directories(holdfast_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})

# Of the tests' own files: translating them is half of a build, and without optimization a third
# quicker. What they test is optimized.
add_library(holdfast_test_options INTERFACE)
target_link_libraries(holdfast_test_options INTERFACE holdfast_options)
target_compile_options(holdfast_test_options INTERFACE -O0 -U_FORTIFY_SOURCE)

if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -g1)
  add_link_options(-fsanitize=address,undefined)
endif()
