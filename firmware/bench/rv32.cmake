# The image of the bench for QEMU, included by the port's CMakeLists.txt. Its RAM lies behind all regions of memory_map.h and has room for the
# module of the Node client (-m 64M). With ENGINE=aot all modules of MODULES_DIR are in it, and chosen by name.
set(bench "${firmware}/bench")
set(bench_ram -Wl,--defsym=__flash=${at_FLASH_CODE},--defsym=__flash_size=${at_FLASH_CODE_BYTES},--defsym=__ram=0x80500000,--defsym=__ram_size=0x2000000,--defsym=__stack_size=${at_STACK_BYTES})
if(ENGINE STREQUAL aot)
  file(GLOB bench_modules CONFIGURE_DEPENDS "${MODULES_DIR}/*.c")
  add_library(bench_modules OBJECT ${bench_modules})
  target_compile_options(bench_modules PRIVATE -w -fno-lto) # so that an object tells its size
  target_include_directories(bench_modules PRIVATE "${shell}/aot" "${shell}")
  set(bench_engine "${shell}/engine_aot.c" $<TARGET_OBJECTS:bench_modules>)
else()
  set(bench_engine "${shell}/engine_wasm3.c" $<TARGET_OBJECTS:wasm3>)
endif()
add_executable(operations_bench "${bench}/operations.c" "${bench}/peer.c" "${bench}/rv32.c" "${shell}/shell.c" "${shell}/update_none.c" heap.c flash.c "${memory_source}" ${bench_engine})
ours(operations_bench)
target_compile_definitions(operations_bench PRIVATE HEAP_BYTES=0x800000)
target_link_options(operations_bench PRIVATE --crt0=hosted --oslib=semihost -T picolibc.ld ${bench_ram})
