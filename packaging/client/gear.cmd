@echo off
rem gear as a client of Linux hosts, for Windows: runs on the node.exe beside this file, or else on the one in PATH.
setlocal
set "NODE_OPTIONS="
set "NODE_PATH="
set "NODE_EXTRA_CA_CERTS="
set "NODE_TLS_REJECT_UNAUTHORIZED="
set "gear_node=%~dp0node.exe"
if not exist "%gear_node%" set "gear_node=node"
rem After -- Node takes no option from the arguments.
"%gear_node%" -- "%~dp0..\lib\gear.cjs" %*
exit /b %ERRORLEVEL%
