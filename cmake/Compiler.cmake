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
  set(launcher_environment CCACHE_NOHASHDIR=1)
  if(HOLDFAST_PCH)
    # What ccache asks for before it caches what a precompiled header goes into.
    list(APPEND launcher_environment CCACHE_SLOPPINESS=pch_defines,time_macros)
  endif()
  set(launcher ${CMAKE_COMMAND} -E env ${launcher_environment} ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# Some of the libraries ask for it, so everything gets it: one set of headers parsed for all.
add_compile_options(-pthread)
add_link_options(-pthread)

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

if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -g1)
  add_link_options(-fsanitize=address,undefined)
endif()
