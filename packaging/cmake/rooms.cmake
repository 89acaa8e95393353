# millrace_room(NAME SOURCES a.cpp ... LINK other ...): one static library per room of the house. What is linked here is what the
# room may include; tests/unit/tst_arrows.cpp scans the includes for the rest.
function(millrace_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
    add_library(mr_${name} STATIC ${ROOM_SOURCES})
    target_include_directories(mr_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(mr_${name} PUBLIC ${ROOM_LINK})
endfunction()

# millrace_tests(LABEL [LINK ...]): every tst_*.cpp of this folder becomes one QtTest program and one ctest entry with that label.
function(millrace_tests label)
    cmake_parse_arguments(T "" "TIMEOUT" "LINK" ${ARGN})
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 300)
    endif()
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tst_*.cpp)
    foreach(file ${files})
        get_filename_component(name ${file} NAME_WE)
        add_executable(${name} ${file})
        set_target_properties(${name} PROPERTIES AUTOMOC ON)
        target_compile_definitions(${name} PRIVATE MILLRACE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" MILLRACE_BINARY_DIR="${PROJECT_BINARY_DIR}")
        target_link_libraries(${name} PRIVATE mr_test_support ${T_LINK} Qt6::Test)
        add_test(NAME ${label}.${name} COMMAND ${name})
        set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT ${T_TIMEOUT}
            ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8;QT_LOGGING_RULES=qt.qpa.*=false")
    endforeach()
endfunction()
